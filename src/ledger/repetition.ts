/** Runs something again and again until it is stopped. */
export interface Repetition {
  /** Waits for what is under way. */
  stop(): Promise<void>;
}

/**
 * Runs something in the background, first after one rest.
 *
 * Takes  everyMs: at least so long between two runs; a run that took long is followed by ten times as long a rest, so that it never
 *        takes more than a tenth of the time. run: tells of its failures itself.
 */
export function repeatedly(everyMs: number, run: () => Promise<unknown>): Repetition {
  let isStopped = false;
  let wake: () => void = () => undefined;
  const rest = (ms: number) =>
    new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  const running = (async () => {
    await rest(everyMs);
    while (!isStopped) {
      const began = performance.now();
      await run();
      if (!isStopped) await rest(Math.max(everyMs, 10 * (performance.now() - began)));
    }
  })();
  return {
    stop: async () => {
      isStopped = true;
      wake();
      await running;
    },
  };
}
