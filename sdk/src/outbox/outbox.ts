import { close, closeSync, ftruncate, open, openSync, readFileSync, unlinkSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { readFrames, sealFrame } from './frame.ts';
import { adoptFiles, leaveFolder, makeFolder, type OutboxFile, ownFolder, pathOf } from './owned-folder.ts';

/** Why spans were given up; each is counted and told. */
export type LossReason = 'outbox_full' | 'disk' | 'damaged' | 'refused';

export interface Loss {
  readonly reason: LossReason;
  /** How many; null where a damaged file does not say it. */
  readonly spans: number | null;
  readonly detail: string;
}

export interface OutboxConfig {
  readonly folder: string;
  /** All files together. */
  readonly mostBytes: number;
  /** A file is one request. */
  readonly fileBytes: number;
  /** What gives way when the outbox is full. */
  readonly whenFull: 'oldest' | 'newest';
  readonly nowMs: () => number;
  readonly onLoss: (loss: Loss) => void;
  /** Of the disk, without a loss of spans. */
  readonly onProblem: (message: string) => void;
}

interface Sealed extends OutboxFile {
  /** Null until the file is read: another process wrote it. */
  readonly spans: number | null;
}

/** The file that frames are written to. */
interface Written {
  readonly fd: number;
  readonly path: string;
  readonly number: number;
  bytes: number;
  spans: number;
}

/** What is being written, or waits for it. */
interface Waiting {
  readonly frame: Buffer;
  readonly spans: number;
  readonly release: () => void;
}

/** A disk that takes nothing for so long loses spans, not the memory of the program. */
const MOST_WAITING = 16;
const [openFile, writeFile, truncateFile] = [promisify(open), promisify(write), promisify(ftruncate)];

/**
 * Keeps frames in files until they are delivered.
 *
 * Holds  what `append` took is written at once by a thread of Node's pool, one frame after the other: the program does not wait for its disk. `writeRest` writes
 *        what has not come to that, for the end of the process; written twice it counts once.
 *        All files together are never larger than mostBytes. What is given up is told. No state of the disk makes anything here throw: what cannot be written
 *        is told as lost, and the next frame is tried anew.
 */
export class Outbox {
  readonly #config: OutboxConfig;
  readonly #own: string;
  #sealed: Sealed[] = [];
  #current: Written | null = null;
  #number = 0;
  #bytes = 0;
  #isClosed = false;
  #isEnding = false;
  readonly #waiting: Waiting[] = [];
  #writing: Promise<void> | null = null;

  private constructor(config: OutboxConfig) {
    this.#config = config;
    this.#own = ownFolder(config.folder);
    this.adopt();
  }

  static open(config: OutboxConfig): Outbox {
    return new Outbox(config);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#sealed.length === 0 && this.#current === null && this.#waiting.length === 0;
  }

  /** Takes over what processes that have ended left behind. */
  adopt(): void {
    const { folder, nowMs, onProblem } = this.#config;
    try {
      makeFolder(this.#own);
      for (const file of adoptFiles(folder, this.#own, () => ++this.#number, nowMs(), onProblem)) {
        this.#sealed.push({ ...file, spans: null });
        this.#bytes += file.bytes;
      }
    } catch (cause) {
      onProblem(`the outbox cannot be used: ${(cause as Error).message}`);
    }
    this.#makeRoom(0);
  }

  /**
   * Takes  frame: FRAME_HEAD free bytes, then a payload. release: called when the frame is not needed any more.
   * Gives  whether it was taken; where not, it was told.
   */
  append(frame: Buffer, spans: number, release: () => void = () => {}): boolean {
    const reason = this.#makeRoom(frame.length) ? 'disk' : 'outbox_full';
    if (reason === 'outbox_full' || this.#waiting.length >= MOST_WAITING) {
      this.#lose(reason, spans, reason === 'disk' ? 'the disk does not keep up' : 'the newest was not taken');
      release();
      return false;
    }
    sealFrame(frame, spans);
    this.#bytes += frame.length;
    this.#waiting.push({ frame, spans, release });
    if (this.#isClosed) this.close();
    else if (!this.#isEnding) this.#writing ??= this.#writeAll().catch((cause) => this.#stumble(cause as Error));
    return true;
  }

  /** Waits until what was appended is in a file, or told as lost. */
  async written(): Promise<void> {
    while (this.#writing !== null) await this.#writing;
  }

  /** Ends the file that is written to, once what was appended is in it, so that it can be delivered. */
  async seal(): Promise<void> {
    // Looked at once more after each wait: more may have been appended, and a file must not be closed under a write.
    while (this.#writing !== null) await this.#writing;
    this.#seal();
  }

  /** From now on nothing is written but by `writeRest`: nobody would see the end of it. */
  end(): void {
    this.#isEnding = true;
  }

  /** Writes what waits to a file of its own, now. What is being written meanwhile is there twice then, and counts once. */
  writeRest(): void {
    const rest = this.#waiting.splice(0);
    if (rest.length === 0) return;
    const frames = Buffer.concat(rest.map(({ frame }) => frame));
    const spans = rest.reduce((sum, each) => sum + each.spans, 0);
    try {
      const { number, path } = this.#next();
      const fd = this.#openNow(path);
      try {
        for (let at = 0; at < frames.length; ) at += writeSync(fd, frames, at);
      } finally {
        closeSync(fd);
      }
      this.#sealed.push({ path, number, bytes: frames.length, spans });
    } catch (cause) {
      this.#bytes -= frames.length;
      this.#lose('disk', spans, (cause as Error).message);
    }
  }

  /** The oldest file that is ended. */
  oldest(): OutboxFile | null {
    return this.#sealed[0] ?? null;
  }

  /** What somebody else took away may have been delivered there, or not: only its owner knows that it is missing. */
  forgetGone(file: OutboxFile): void {
    const known = this.#sealed.find(({ number }) => number === file.number);
    // It gave way to others in the meantime, and that was told.
    if (known === undefined) return;
    this.remove(file);
    if (known.spans !== 0) this.#lose('disk', known.spans, 'the file is gone');
  }

  /** Gives up a file that cannot be read; where it can be deleted, it is. */
  forgetUnreadable(file: OutboxFile, detail: string): void {
    const known = this.#sealed.find(({ number }) => number === file.number);
    if (known === undefined) return;
    this.remove(file);
    this.#lose('disk', known.spans, detail);
  }

  /** Tells of what was sent and will not be taken, or was found to be torn. */
  giveUp(reason: 'refused' | 'damaged', spans: number | null, detail: string): void {
    this.#lose(reason, spans, detail);
  }

  /** Forgets a file that was delivered. */
  remove(file: OutboxFile): void {
    const at = this.#sealed.findIndex(({ number }) => number === file.number);
    if (at < 0) return;
    this.#sealed.splice(at, 1);
    this.#bytes -= file.bytes;
    this.#unlink(file.path);
  }

  /** Leaves what is not delivered to whoever opens the outbox next; so goes what is still appended. */
  close(): void {
    this.#isClosed = true;
    this.writeRest();
    if (this.#writing === null) this.#seal();
    leaveFolder(this.#own);
  }

  async #writeAll(): Promise<void> {
    for (let [next] = this.#waiting; next !== undefined; [next] = this.#waiting) {
      await this.#writeOne(next);
      // Unless `writeRest` has taken it meanwhile.
      if (this.#waiting[0] !== next) continue;
      this.#waiting.shift();
      next.release();
    }
    this.#writing = null;
    if (this.#isClosed) this.#seal();
  }

  /** A mistake of ours ends no program: what waits is tried again with the next frame. */
  #stumble({ message }: Error): void {
    this.#writing = null;
    this.#config.onProblem(`the outbox is not written: ${message}`);
  }

  async #writeOne(next: Waiting): Promise<void> {
    const { frame, spans } = next;
    try {
      this.#current ??= await this.#begin();
      for (let at = 0; at < frame.length; ) at += (await writeFile(this.#current.fd, frame, at)).bytesWritten;
      this.#current.bytes += frame.length;
      this.#current.spans += spans;
      if (this.#waiting[0] !== next) this.#bytes += frame.length;
      if (this.#current.bytes >= this.#config.fileBytes) this.#seal();
    } catch (cause) {
      await this.#breakOff();
      if (this.#waiting[0] !== next) return;
      this.#bytes -= frame.length;
      this.#lose('disk', spans, (cause as Error).message);
    }
  }

  #seal(): void {
    if (this.#current === null) return;
    const { fd, ...file } = this.#current;
    this.#current = null;
    // A disk that fails is told where spans are lost by it.
    close(fd, () => {});
    this.#sealed.push(file);
  }

  #next(): { readonly number: number; readonly path: string } {
    const number = ++this.#number;
    return { number, path: pathOf(this.#own, number) };
  }

  async #begin(): Promise<Written> {
    const { number, path } = this.#next();
    const fd = await openFile(path, 'a', 0o600).catch((cause) => this.#madeAnew(cause, path));
    return { fd, path, number, bytes: 0, spans: 0 };
  }

  #openNow(path: string): number {
    try {
      return openSync(path, 'a', 0o600);
    } catch (cause) {
      return this.#madeAnew(cause, path);
    }
  }

  /** Somebody may have taken the folder away: others take empty ones whose owner they cannot see. */
  #madeAnew(cause: unknown, path: string): number {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    makeFolder(this.#own);
    return openSync(path, 'a', 0o600);
  }

  /** After a write that failed half a frame may be there: it is taken back, and nothing is written behind it. */
  async #breakOff(): Promise<void> {
    const written = this.#current;
    if (written === null) return;
    await truncateFile(written.fd, written.bytes).catch(() => {});
    this.#seal();
    if (written.bytes === 0) this.remove(written);
  }

  /** Gives  whether so many bytes have a place. */
  #makeRoom(bytes: number): boolean {
    const { mostBytes, whenFull } = this.#config;
    if (this.#bytes + bytes <= mostBytes) return true;
    if (whenFull === 'newest') return false;
    if (this.#sealed.length === 0 && this.#writing === null) this.#seal();
    while (this.#bytes + bytes > mostBytes && this.#sealed.length > 0) {
      const [file] = this.#sealed as [Sealed];
      const spans = file.spans ?? spansIn(file);
      this.remove(file);
      this.#lose('outbox_full', spans, 'the oldest gave way');
    }
    return this.#bytes + bytes <= mostBytes;
  }

  /** What stays behind is sent once more by whoever finds it, and counts once. */
  #unlink(path: string): void {
    try {
      unlinkSync(path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#config.onProblem(`a file of the outbox cannot be deleted: ${(cause as Error).message}`);
    }
  }

  #lose(reason: LossReason, spans: number | null, detail: string): void {
    this.#config.onLoss({ reason, spans, detail });
  }
}

/** Of a file that another process wrote. */
function spansIn({ path }: OutboxFile): number | null {
  try {
    return readFrames(readFileSync(path)).spans;
  } catch {
    return null;
  }
}
