import { closeSync, ftruncateSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
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

/**
 * Keeps frames in files until they are delivered.
 *
 * Holds  what `append` took is in a file, in the hands of the operating system, when it comes back: the end of the process does not lose it.
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
    return this.#sealed.length === 0 && this.#current === null;
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

  /** Takes  frame: FRAME_HEAD free bytes, then a payload. Gives  whether it was taken; where not, it was told. */
  append(frame: Buffer, spans: number): boolean {
    if (!this.#makeRoom(frame.length)) {
      this.#lose('outbox_full', spans, 'the newest was not taken');
      return false;
    }
    try {
      sealFrame(frame, spans);
      this.#current ??= this.#begin();
      writeAll(this.#current.fd, frame);
    } catch (cause) {
      this.#breakOff();
      this.#lose('disk', spans, (cause as Error).message);
      return false;
    }
    this.#current.bytes += frame.length;
    this.#current.spans += spans;
    this.#bytes += frame.length;
    if (this.#isClosed) this.close();
    else if (this.#current.bytes >= this.#config.fileBytes) this.seal();
    return true;
  }

  /** Ends the file that is written to, so that it can be delivered. */
  seal(): void {
    if (this.#current === null) return;
    const { fd, ...file } = this.#current;
    this.#current = null;
    quietly(() => closeSync(fd));
    this.#sealed.push(file);
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
    this.seal();
    leaveFolder(this.#own);
  }

  #begin(): Written {
    const number = ++this.#number;
    const path = pathOf(this.#own, number);
    return { fd: this.#open(path), path, number, bytes: 0, spans: 0 };
  }

  /** Somebody may have taken the folder away: others take empty ones whose owner they cannot see. */
  #open(path: string): number {
    try {
      return openSync(path, 'a', 0o600);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
      makeFolder(this.#own);
      return openSync(path, 'a', 0o600);
    }
  }

  /** After a write that failed half a frame may be there: it is taken back, and nothing is written behind it. */
  #breakOff(): void {
    const written = this.#current;
    if (written === null) return;
    quietly(() => ftruncateSync(written.fd, written.bytes));
    this.seal();
    if (written.bytes === 0) this.remove(written);
  }

  /** Gives  whether so many bytes have a place. */
  #makeRoom(bytes: number): boolean {
    const { mostBytes, whenFull } = this.#config;
    if (this.#bytes + bytes <= mostBytes) return true;
    if (whenFull === 'newest') return false;
    if (this.#sealed.length === 0) this.seal();
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

/** A write may take a part only. */
function writeAll(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written, bytes.length - written);
}

/** What goes wrong at the end of a file changes nothing of what is known of it. */
function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // A disk that fails is told where spans are lost by it.
  }
}
