/** Asked to wait longer, a timer of Node fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** As a timer takes it: nobody waits longer than 24 days for a time that came from outside without looking again. */
export function timerMs(ms: number): number {
  return Math.min(LONGEST_TIMER_MS, ms);
}

/**
 * Waits for work, but no longer than that.
 *
 * Gives  whether it has ended. What is waited for keeps the program alive, also where its own timers do not.
 */
export async function endsWithin(work: Promise<unknown>, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const isOver = new Promise<false>((done) => {
    timer = setTimeout(() => done(false), timerMs(Math.max(0, withinMs)));
  });
  try {
    return await Promise.race([work.then(() => true), isOver]);
  } finally {
    clearTimeout(timer);
  }
}
