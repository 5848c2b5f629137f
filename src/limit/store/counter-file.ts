import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { CounterRecord } from './counter-table.ts';
import type { MemoryStore } from './memory-store.ts';

const NAME = 'limit-counters.jsonl';
const FLUSH_MS = 50;
/** After a failure the disk is left alone for so many turns of the timer: five seconds. */
const REST_TURNS = 100;
/** A file that has grown by this much, and has doubled, since it was written whole is written whole again. */
const COMPACT_BYTES = 64 << 20;
/** Counters that are written down before decisions have their turn again. */
const AT_ONCE = 1_000;

type Warn = (message: string, facts: Record<string, unknown>) => void;

/**
 * Keeps the counters of the memory store on the disk: what changed is appended, the last word about a counter counts.
 *
 * Holds  what was waited for with `synced` is there after any crash; of the rest at most what was counted within 50 ms is lost.
 *        No decision waits while many counters are written: they are, some at a time.
 */
export class CounterFile {
  readonly #path: string;
  readonly #store: MemoryStore;
  readonly #warn: Warn;
  readonly #compactBytes: number;
  #file: FileHandle;
  /** Of the file, and of what it was when it was written whole. */
  #bytes: number;
  #wholeBytes: number;
  #turn: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  /** While the file is written whole: what changed since that began. */
  #meanwhile: string[] | null = null;
  #compacting: Promise<void> = Promise.resolve();
  /** Why the file may end in a torn line and lack what no longer counts as changed; null while it is right. */
  #failure: unknown = null;
  #restTurns = 0;
  readonly #timer: NodeJS.Timeout;

  private constructor(path: string, store: MemoryStore, whole: Whole, warn: Warn, compactBytes: number) {
    this.#path = path;
    this.#store = store;
    this.#file = whole.file;
    this.#bytes = whole.bytes;
    this.#wholeBytes = whole.bytes;
    this.#warn = warn;
    this.#compactBytes = compactBytes;
    this.#timer = setInterval(() => this.#tick(), FLUSH_MS).unref();
  }

  /** Reads what was kept into the store, and goes on keeping. Policies must be known: counters of no policy are left out. */
  static async open(
    folder: string,
    store: MemoryStore,
    policies: readonly CompiledPolicy[],
    warn: Warn,
    compactBytes = COMPACT_BYTES,
  ): Promise<CounterFile> {
    const path = join(folder, NAME);
    const { records, damaged } = await readRecords(path);
    if (damaged > 0) warn('lines of the limit counters cannot be read', { lines: damaged });
    store.restore(records, policies);
    const whole = await writtenBeside(path, store);
    await takesPlace(whole, path);
    const file = new CounterFile(path, store, whole, warn, compactBytes);
    store.keepChanges();
    return file;
  }

  /** Waits until everything counted so far is on the disk; those who wait meanwhile share one sync. */
  synced(): Promise<void> {
    this.#next ??= this.#inTurn(async () => {
      this.#next = null;
      await this.#flush();
    });
    return this.#next;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#restTurns = 0;
    try {
      // Where it fails, the file is written whole, for the last time that this can be done.
      await this.synced().catch(() => undefined);
      await this.#compacting;
      if (this.#failure !== null) throw this.#failure;
    } finally {
      await this.#file.close();
    }
  }

  #tick(): void {
    if (this.#restTurns > 0) this.#restTurns--;
    void this.synced().catch(() => undefined);
  }

  /** What writes to the file does so one after the other. */
  #inTurn(write: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(write);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #flush(): Promise<void> {
    const isResting = this.#restTurns > 0 || this.#meanwhile !== null;
    if (this.#failure !== null) {
      if (!isResting) this.#compacting = this.#compact();
      throw this.#failure;
    }
    const text = await this.#changed();
    if (text === '') return;
    try {
      await this.#file.appendFile(text);
      await this.#file.datasync();
    } catch (cause) {
      throw this.#failed(cause);
    }
    this.#bytes += text.length;
    const isGrown = this.#bytes > this.#wholeBytes + Math.max(this.#compactBytes, this.#wholeBytes);
    if (isGrown && !isResting) this.#compacting = this.#compact();
  }

  /** From now on nothing is appended, until the file is written whole. */
  #failed(cause: unknown): unknown {
    this.#failure = cause;
    this.#restTurns = REST_TURNS;
    this.#warn('limit counters cannot be written', { cause: String(cause) });
    return cause;
  }

  async #changed(): Promise<string> {
    let text = '';
    for (;;) {
      const lines = linesOf(this.#store.changedRecords(AT_ONCE));
      if (lines === '') break;
      text += lines;
      await new Promise((turn) => setImmediate(turn));
    }
    if (text !== '') this.#meanwhile?.push(text);
    return text;
  }

  /** Writes the file whole, while it is still appended to; then the new one takes its place, with what was appended meanwhile. */
  async #compact(): Promise<void> {
    this.#meanwhile = [];
    try {
      const whole = await writtenBeside(this.#path, this.#store);
      await this.#inTurn(() => this.#replace(whole));
    } catch (cause) {
      this.#restTurns = REST_TURNS;
      this.#warn('limit counters cannot be written anew', { cause: String(cause) });
    } finally {
      this.#meanwhile = null;
    }
  }

  /** What changed since the new file was begun goes into it only: the old one may be what cannot be written. */
  async #replace(whole: Whole): Promise<void> {
    let left = whole.file;
    try {
      await this.#changed();
      const text = this.#meanwhile!.join('');
      await whole.file.appendFile(text);
      await takesPlace(whole, this.#path);
      left = this.#file;
      this.#file = whole.file;
      this.#wholeBytes = whole.bytes;
      this.#bytes = whole.bytes + text.length;
      this.#failure = null;
    } catch (cause) {
      throw this.#failed(cause);
    } finally {
      await left.close();
    }
  }
}

function linesOf(records: readonly CounterRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

interface Whole {
  readonly file: FileHandle;
  readonly bytes: number;
}

/** Writes all counters into a file beside. */
async function writtenBeside(path: string, store: MemoryStore): Promise<Whole> {
  const file = await open(`${path}.new`, 'w', 0o600);
  let bytes = 0;
  try {
    for (const records of store.allRecords()) {
      const text = linesOf(records);
      if (text !== '') await file.appendFile(text);
      bytes += text.length;
    }
  } catch (cause) {
    await file.close();
    throw cause;
  }
  return { file, bytes };
}

/** The old file is there until the new one is safe. Whoever has the new one open goes on writing to it. */
async function takesPlace({ file }: Whole, path: string): Promise<void> {
  await file.datasync();
  await rename(`${path}.new`, path);
}

/** A crash may have torn the last line: what cannot be read is told and left out. */
async function readRecords(path: string): Promise<{ records: CounterRecord[]; damaged: number }> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '';
    throw cause;
  });
  let damaged = 0;
  const records = text.split('\n').flatMap((line): CounterRecord[] => {
    if (line === '') return [];
    try {
      const record = JSON.parse(line) as CounterRecord;
      if (Array.isArray(record) && record.length === 4) return [record];
    } catch {
      // Counted below.
    }
    damaged++;
    return [];
  });
  return { records, damaged };
}
