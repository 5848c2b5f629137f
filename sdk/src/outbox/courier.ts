import { Worker } from 'node:worker_threads';
import { Poster } from '../http/post.ts';
import { type Carried, type Courier, carry, type Part } from './carry.ts';

/** What a thread is told to carry. */
export interface Order {
  readonly id: number;
  readonly path: string;
  readonly part: Part;
  readonly timeoutMs: number;
}

interface CourierConfig {
  readonly url: string;
  readonly token: string;
  /** `worker`: reading, checking and sending take nothing from the thread that answers calls. */
  readonly sendsIn: 'worker' | 'main';
  readonly onProblem: (message: string) => void;
}

/** Carries in the thread of the program. */
export class OwnThread implements Courier {
  readonly #poster: Poster;

  constructor(poster: Poster) {
    this.#poster = poster;
  }

  carry(path: string, part: Part, timeoutMs: number): Promise<Carried> {
    return carry(this.#poster, path, part, timeoutMs);
  }

  close(): void {
    this.#poster.close();
  }
}

/**
 * Carries in a thread that is started with the first file; where there can be none, or it ends, in the thread of the program.
 *
 * Holds  the thread keeps no program alive, and ends with it. A file that it was at is still there then.
 */
class OtherThread implements Courier {
  readonly #config: CourierConfig;
  readonly #own: OwnThread;
  readonly #waiting = new Map<number, (carried: Carried) => void>();
  #worker: Worker | null = null;
  #orders = 0;
  #isOver = false;

  constructor(config: CourierConfig, own: OwnThread) {
    this.#config = config;
    this.#own = own;
  }

  carry(path: string, part: Part, timeoutMs: number): Promise<Carried> {
    const worker = this.#isOver ? null : this.#started();
    if (worker === null) return this.#own.carry(path, part, timeoutMs);
    return new Promise((done) => {
      const id = ++this.#orders;
      this.#waiting.set(id, done);
      worker.postMessage({ id, path, part, timeoutMs } satisfies Order);
    });
  }

  close(): void {
    this.#isOver = true;
    void this.#worker?.terminate();
    this.#own.close();
  }

  #started(): Worker | null {
    try {
      this.#worker ??= this.#start();
      return this.#worker;
    } catch (cause) {
      this.#ended((cause as Error).message);
      return null;
    }
  }

  #start(): Worker {
    const { url, token } = this.#config;
    const worker = new Worker(new URL('./courier-thread.js', import.meta.url), {
      workerData: { url, token },
      name: 'taximeter',
      // What the program is started with, such as `--import`, may make a Taximeter of its own, which would start a thread.
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    worker.unref();
    worker.on('message', ({ id, carried }: { readonly id: number; readonly carried: Carried }) => {
      const done = this.#waiting.get(id);
      this.#waiting.delete(id);
      done?.(carried);
    });
    // Nobody listening, an error in it would end the program.
    worker.on('error', (cause) => this.#ended(cause.message));
    worker.on('exit', () => this.#ended('it has ended'));
    return worker;
  }

  #ended(why: string): void {
    if (!this.#isOver) this.#config.onProblem(`spans are sent in the thread of the program: ${why}`);
    this.#isOver = true;
    this.#worker = null;
    for (const done of this.#waiting.values()) done({ kind: 'failed', why });
    this.#waiting.clear();
  }
}

/** Gives  who carries files to Taximeter. */
export function openCourier(config: CourierConfig): Courier {
  const own = new OwnThread(new Poster(config.url, config.token, 1));
  // Only what is built can be started in a thread: sources are read by what the program was started with.
  const isBuilt = String(import.meta.url).endsWith('.js');
  return config.sendsIn === 'worker' && isBuilt ? new OtherThread(config, own) : own;
}
