import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../model/index.ts';
import { encodeFrameHead, encodeHeader, FRAME_BYTES, HEADER_BYTES, type SegmentKind } from './segment.ts';

const MILLIS_PER_DAY = 86_400_000;

export interface JournalConfig {
  readonly folder: string;
  readonly kind: SegmentKind;
  /** A segment is sealed when it holds this many rows or bytes. */
  readonly segmentRows: number;
  readonly segmentBytes: number;
  /** All segments together, other journals' included; beyond it appends fail JOURNAL_FULL. */
  readonly capacityBytes: number;
  /** What other journals of the same house hold. */
  readonly othersBytes?: () => number;
  readonly nowMs: () => number;
  /** Numbers segments and batches of all journals of one house. */
  readonly nextId: () => number;
}

interface Waiting {
  readonly payload: Buffer;
  readonly rows: number;
  readonly done: () => void;
  readonly failed: (cause: unknown) => void;
}

interface OpenSegment {
  readonly id: number;
  readonly path: string;
  readonly file: FileHandle;
  sizeBytes: number;
  rows: number;
}

/**
 * Keeps data safe between its arrival and the store.
 * `append` answers when the bytes are on the disk; one sync serves everybody who waited for it.
 */
export class Journal {
  readonly #config: JournalConfig;
  readonly #sealed: { readonly id: number; readonly path: string; readonly sizeBytes: number }[] = [];
  #current: OpenSegment | null = null;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #sealing: Pick<Waiting, 'done' | 'failed'>[] = [];
  #writing: Promise<void> | null = null;
  #sizeBytes = 0;
  /** The segment that is being written or begun. */
  #begun: number | null = null;

  private constructor(config: JournalConfig) {
    this.#config = config;
  }

  /** Opens a journal; segments left from earlier runs are sealed and wait to be loaded. */
  static async open(config: JournalConfig): Promise<Journal> {
    const journal = new Journal(config);
    await mkdir(config.folder, { recursive: true });
    const names = (await readdir(config.folder)).filter((name) => /^\d{16}\.seg$/.test(name)).sort();
    for (const name of names) {
      const path = join(config.folder, name);
      const { size } = await stat(path);
      journal.#sealed.push({ id: Number(name.slice(0, 16)), path, sizeBytes: size });
      journal.#sizeBytes += size;
    }
    return journal;
  }

  /** The largest id among the segments of a folder, also of those set aside; 0 when there is none. */
  static async largestId(folder: string): Promise<number> {
    await mkdir(folder, { recursive: true });
    const ids = (await readdir(folder))
      .filter((name) => /^\d{16}\.seg/.test(name))
      .map((name) => Number(name.slice(0, 16)));
    return Math.max(0, ...ids);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get sealed(): readonly { readonly id: number; readonly path: string; readonly sizeBytes: number }[] {
    return this.#sealed;
  }

  /** The smallest id of a segment that is not loaded yet; null when nothing waits. */
  get oldestId(): number | null {
    return this.#sealed[0]?.id ?? this.#begun;
  }

  /**
   * Makes rows durable.
   *
   * Takes  payload: rows as the loader reads them; must not be changed until this settles.
   * Fails  JOURNAL_FULL, DISK_FULL; then nothing of it is kept.
   */
  append(payload: Buffer, rows: number): Promise<void> {
    if (rows === 0) return Promise.resolve();
    const sizeBytes = payload.length + FRAME_BYTES;
    // What others wait to have written counts too, or many at once would get past the limit; and perhaps a segment must be begun.
    const held = this.#sizeBytes + this.#waitingBytes + (this.#config.othersBytes?.() ?? 0);
    if (held + HEADER_BYTES + sizeBytes > this.#config.capacityBytes) {
      return Promise.reject(fail('JOURNAL_FULL', { sizeBytes: held }));
    }
    this.#waitingBytes += sizeBytes;
    return new Promise((done, failed) => {
      this.#waiting.push({ payload, rows, done, failed });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Ends the segment being written, so that it can be loaded. The writer does it between two writes: it never waits for a pause. */
  seal(): Promise<void> {
    return new Promise((done, failed) => {
      this.#sealing.push({ done, failed });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Forgets a segment after its rows are durable in the store. */
  async remove(id: number): Promise<void> {
    const segment = this.#take(id);
    if (segment) await rm(segment.path, { force: true });
  }

  /** Keeps a damaged segment beside the journal, for people: it is not read again. Gives where it is. */
  async setAside(id: number): Promise<string> {
    const segment = this.#take(id);
    if (!segment) return '';
    const path = `${segment.path}.damaged`;
    await rename(segment.path, path);
    return path;
  }

  #take(id: number) {
    const place = this.#sealed.findIndex((segment) => segment.id === id);
    const [segment] = this.#sealed.splice(place, place < 0 ? 0 : 1);
    if (segment) this.#sizeBytes -= segment.sizeBytes;
    return segment;
  }

  async close(): Promise<void> {
    await this.seal();
  }

  async #writeAll(): Promise<void> {
    // Let requests that arrived in the same turn of the loop share the sync.
    await new Promise(setImmediate);
    while (this.#waiting.length > 0 || this.#sealing.length > 0) {
      const group = this.#nextGroup();
      await this.#answer(group, () => this.#writeGroup(group));
      const sealing = this.#sealing;
      this.#sealing = [];
      if (sealing.length > 0) await this.#answer(sealing, () => this.#sealCurrent());
    }
    this.#writing = null;
  }

  /** Takes as many as fit a segment, at least one: a segment is read as a whole, so it must not become too large for that. */
  #nextGroup(): Waiting[] {
    let sizeBytes = 0;
    const fits = this.#waiting.findIndex(({ payload }) => {
      sizeBytes += payload.length;
      return sizeBytes > this.#config.segmentBytes;
    });
    return this.#waiting.splice(0, fits < 0 ? this.#waiting.length : Math.max(1, fits));
  }

  async #answer(waiting: readonly Pick<Waiting, 'done' | 'failed'>[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
      for (const { done } of waiting) done();
    } catch (cause) {
      const failure = await this.#abandon(cause);
      for (const { failed } of waiting) failed(failure);
    }
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    if (group.length === 0) return;
    const parts = group.flatMap(({ payload, rows }) => [encodeFrameHead(payload, rows), payload]);
    const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
    try {
      const segment = this.#current ?? (await this.#begin());
      await this.#writeParts(segment, parts, sizeBytes);
      segment.sizeBytes += sizeBytes;
      segment.rows += group.reduce((sum, { rows }) => sum + rows, 0);
      this.#sizeBytes += sizeBytes;
    } finally {
      this.#waitingBytes -= sizeBytes;
    }
    const { segmentRows, segmentBytes } = this.#config;
    if (this.#current!.rows >= segmentRows || this.#current!.sizeBytes >= segmentBytes) await this.#sealCurrent();
  }

  async #writeParts(segment: OpenSegment, parts: readonly Buffer[], sizeBytes: number): Promise<void> {
    const { bytesWritten } = await segment.file.writev(parts, segment.sizeBytes);
    if (bytesWritten < sizeBytes) {
      const rest = Buffer.concat(parts, sizeBytes).subarray(bytesWritten);
      await writeWhole(segment.file, rest, segment.sizeBytes + bytesWritten);
    }
    await segment.file.datasync();
  }

  async #begin(): Promise<OpenSegment> {
    const id = this.#config.nextId();
    this.#begun = id;
    const path = join(this.#config.folder, `${String(id).padStart(16, '0')}.seg`);
    const file = await open(path, 'wx').catch((cause: unknown) => {
      // Nothing will come under this number any more.
      this.#begun = null;
      throw cause;
    });
    const receivedDay = Math.floor(this.#config.nowMs() / MILLIS_PER_DAY);
    this.#current = { id, path, file, sizeBytes: HEADER_BYTES, rows: 0 };
    this.#sizeBytes += HEADER_BYTES;
    await writeWhole(file, encodeHeader({ kind: this.#config.kind, id, receivedDay }), 0);
    await this.#syncFolder();
    return this.#current;
  }

  /** A new file is only sure to be found after a crash when its folder is on the disk too. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.#config.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async #sealCurrent(): Promise<void> {
    const segment = this.#current;
    if (segment === null) return;
    this.#current = null;
    this.#begun = null;
    if (segment.rows > 0) this.#sealed.push({ id: segment.id, path: segment.path, sizeBytes: segment.sizeBytes });
    else this.#sizeBytes -= HEADER_BYTES;
    await segment.file.close();
    if (segment.rows === 0) await rm(segment.path, { force: true });
  }

  /** After a failed write or sync the file's end cannot be trusted: cut it back and never write to it again. */
  async #abandon(cause: unknown): Promise<unknown> {
    const segment = this.#current;
    // Where even that fails, the checksums tell the loader where the whole frames end.
    await segment?.file.truncate(segment.sizeBytes).catch(() => undefined);
    await this.#sealCurrent().catch(() => undefined);
    const code = (cause as NodeJS.ErrnoException).code;
    return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG' ? fail('DISK_FULL', {}, [], cause) : cause;
  }
}

/** A full disk may take a part of a write without an error; only the next one fails. Gives where the next write goes. */
async function writeWhole(file: FileHandle, bytes: Buffer, at: number): Promise<number> {
  let from = 0;
  while (from < bytes.length) {
    from += (await file.write(bytes, from, bytes.length - from, at + from)).bytesWritten;
  }
  return at + from;
}
