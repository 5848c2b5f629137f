import { type FSWatcher, watch } from 'node:fs';

/** Writers write often: what came within so long is read together. */
const SHORTEST_MS = 100;

/** Waits for the next round: until a file in one of the folders changes, and a second at most. */
export class Wake {
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #signal: AbortSignal;
  #isHinted = false;
  #wake = () => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Where changes are a hint. Not every file system gives any, so nothing depends on them. */
  watch(folders: Iterable<string>): void {
    for (const folder of folders) {
      if (this.#watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, () => this.#hint());
        watcher.on('error', () => this.#forget(folder));
        this.#watchers.set(folder, watcher);
      } catch {
        // Without a hint the clock wakes us.
      }
    }
  }

  async next(longestMs: number): Promise<void> {
    const wait = (ms: number) =>
      new Promise<void>((done) => {
        if (this.#signal.aborted) done();
        const timer = setTimeout(done, ms);
        this.#wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    const beganMs = performance.now();
    if (!this.#isHinted) await wait(longestMs);
    const leftMs = SHORTEST_MS - (performance.now() - beganMs);
    if (leftMs > 0 && !this.#signal.aborted) await wait(leftMs);
    this.#isHinted = false;
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
  }

  #hint(): void {
    if (this.#isHinted) return;
    this.#isHinted = true;
    this.#wake();
  }

  #forget(folder: string): void {
    this.#watchers.get(folder)?.close();
    this.#watchers.delete(folder);
  }
}
