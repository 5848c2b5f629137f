import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { CounterRecord } from './counter-table.ts';
import type { MemoryStore } from './memory-store.ts';

const NAME = 'limit-counters.jsonl';
const FLUSH_MS = 50;
/** A file that has grown by this much since it was written whole is written whole again. */
const COMPACT_BYTES = 64 << 20;

type Warn = (message: string, facts: Record<string, unknown>) => void;

/**
 * Keeps the counters of the memory store on the disk: what changed is appended, the last word about a counter counts.
 *
 * Holds  what was waited for with `synced` is there after any crash; of the rest at most what was counted within 50 ms is lost.
 */
export class CounterFile {
  readonly #path: string;
  readonly #store: MemoryStore;
  readonly #warn: Warn;
  #file: FileHandle;
  #bytes = 0;
  #turn: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  readonly #timer: NodeJS.Timeout;

  private constructor(path: string, store: MemoryStore, file: FileHandle, warn: Warn) {
    this.#path = path;
    this.#store = store;
    this.#file = file;
    this.#warn = warn;
    this.#timer = setInterval(() => void this.synced().catch(() => undefined), FLUSH_MS).unref();
  }

  /** Reads what was kept into the store, and goes on keeping. Policies must be known: counters of no policy are left out. */
  static async open(
    folder: string,
    store: MemoryStore,
    policies: readonly CompiledPolicy[],
    warn: Warn,
  ): Promise<CounterFile> {
    const path = join(folder, NAME);
    const { records, damaged } = await readRecords(path);
    if (damaged > 0) warn('lines of the limit counters cannot be read', { lines: damaged });
    store.restore(records, policies);
    const file = new CounterFile(path, store, await written(path, store.allRecords()), warn);
    store.keepChanges();
    return file;
  }

  /** Waits until everything counted so far is on the disk; those who wait meanwhile share one sync. */
  synced(): Promise<void> {
    this.#next ??= this.#turn.then(async () => {
      this.#next = null;
      await this.#flush();
    });
    const mine = this.#next;
    this.#turn = mine.catch((cause: unknown) =>
      this.#warn('limit counters cannot be written', { cause: String(cause) }),
    );
    return mine;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.synced();
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    const records = this.#store.changedRecords();
    if (records.length === 0) return;
    const text = linesOf(records);
    await this.#file.appendFile(text);
    await this.#file.datasync();
    this.#bytes += text.length;
    if (this.#bytes < COMPACT_BYTES) return;
    await this.#file.close();
    this.#file = await written(this.#path, this.#store.allRecords());
    this.#bytes = 0;
  }
}

function linesOf(records: readonly CounterRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('');
}

/** Writes the file whole, beside the old one until it is safe. */
async function written(path: string, records: readonly CounterRecord[]): Promise<FileHandle> {
  const beside = await open(`${path}.new`, 'w', 0o600);
  await beside.appendFile(linesOf(records));
  await beside.datasync();
  await beside.close();
  await rename(`${path}.new`, path);
  return open(path, 'a', 0o600);
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
