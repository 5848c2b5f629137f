import { type FileHandle, open } from 'node:fs/promises';
import { LONGEST_LINE_BYTES, lineCount } from '../lines.ts';
import { fingerprintOf, firstLineOf, headText } from '../log-query.ts';
import { hashed, type Position } from './positions.ts';

/** Whole lines that were read and not acknowledged yet. */
export interface Piece {
  readonly bytes: Buffer;
  readonly offset: number;
  readonly firstLine: number;
  /** Where the next piece begins. */
  readonly nextOffset: number;
  readonly lines: number;
  /** What stands right before the next piece. */
  readonly before: Buffer;
}

const HEAD_BYTES = 1 << 20;
const BEFORE_BYTES = 1_024;
const NONE: Buffer = Buffer.alloc(0);

/** Tells a file from others on this machine, whatever it is called. */
export function inodeOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`;
}

/** A log that is read as it grows, by its open file: renaming or deleting does not matter. */
export class FollowedLog {
  path: string;
  readonly inode: string;
  format = '';
  fingerprint = '';
  offset = 0;
  line = 1;
  /** Since when another log has its place; null while it is the one. */
  leftMs: number | null = null;
  /** When it grew last. */
  grewMs: number;
  isFinished = false;
  readonly #file: FileHandle;
  /** What stands right before the offset: a file in which it changed was begun anew. */
  #before = NONE;
  /** Up to here no line end was found in a line that is too long. */
  #scannedTo = 0;
  #size = 0;

  private constructor(path: string, inode: string, file: FileHandle, nowMs: number) {
    this.path = path;
    this.inode = inode;
    this.#file = file;
    this.grewMs = nowMs;
  }

  static async open(path: string, nowMs: number): Promise<FollowedLog> {
    const file = await open(path, 'r');
    return new FollowedLog(path, inodeOf(await file.stat({ bigint: true })), file, nowMs);
  }

  /** Goes on where a position says, if what stands before is what was read. Takes  position: of the same first line. */
  async resume(position: Position): Promise<boolean> {
    const from = position.offset - position.beforeBytes;
    const before = await this.#readAt(from, position.beforeBytes);
    if (before.length !== position.beforeBytes || hashed(before) !== position.before) return false;
    this.offset = position.offset;
    this.line = position.line;
    this.format = position.format;
    this.#before = before;
    return true;
  }

  /** The beginning of the log. */
  head(): Promise<Buffer> {
    return this.#readAt(0, HEAD_BYTES);
  }

  async headText(): Promise<string> {
    return headText(await this.#readAt(0, 4_000));
  }

  /** Knows the log by its first line, once that is whole; gives whether it is known. Takes  isAll: no more will come. */
  async identify(isAll: boolean): Promise<boolean> {
    if (this.fingerprint !== '') return true;
    const head = await this.head();
    if (head.length === 0 || (!head.includes(10) && head.length < HEAD_BYTES && !isAll)) return false;
    this.fingerprint = fingerprintOf(firstLineOf(head));
    return true;
  }

  /**
   * Reads the next whole lines.
   *
   * Takes  isAll: no more will come, so that a last line without its end is one too.
   * Gives  null when there are none; `anew` when the file was cut off or written anew, and this log is over.
   */
  async next(mostBytes: number, isAll: boolean, nowMs: number): Promise<Piece | null | 'anew'> {
    const { size } = await this.#file.stat();
    if (size !== this.#size) this.grewMs = nowMs;
    this.#size = size;
    if (size < this.offset) return 'anew';
    const from = this.offset - this.#before.length;
    const read = await this.#readAt(from, Math.min(size - from, this.#before.length + mostBytes));
    if (!read.subarray(0, this.#before.length).equals(this.#before)) return 'anew';
    const bytes = read.subarray(this.#before.length);
    const end = bytes.lastIndexOf(10) + 1;
    if (end > 0) return this.#piece(bytes.subarray(0, end), lastOf(read.subarray(0, this.#before.length + end)));
    if (bytes.length >= Math.min(LONGEST_LINE_BYTES, mostBytes)) return this.#longLine(bytes, size, isAll);
    return isAll && bytes.length > 0 ? this.#piece(bytes, lastOf(read)) : null;
  }

  /** What was read is safe. */
  acknowledge(piece: Piece): void {
    this.offset = piece.nextOffset;
    this.line += piece.lines;
    this.#before = piece.before;
    this.#scannedTo = 0;
  }

  position(savedMs: number): Position {
    const { path, inode, fingerprint, offset, line, format, isFinished } = this;
    const before = { before: hashed(this.#before), beforeBytes: this.#before.length };
    return { path, inode, fingerprint, offset, line, ...before, format, isFinished, savedMs };
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #piece(bytes: Buffer, before: Buffer, nextOffset = this.offset + bytes.length): Piece {
    return { bytes, offset: this.offset, firstLine: this.line, nextOffset, lines: lineCount(bytes), before };
  }

  /** A line that is too long is sent as far as it takes to refuse it, when its end is there. */
  async #longLine(begin: Buffer, size: number, isAll: boolean): Promise<Piece | null> {
    let at = Math.max(this.#scannedTo, this.offset);
    for (; at < size; ) {
      const block = await this.#readAt(at, HEAD_BYTES);
      if (block.length === 0) break;
      const found = block.indexOf(10);
      if (found >= 0) return this.#shortened(begin, at + found + 1);
      at += block.length;
    }
    this.#scannedTo = at;
    return isAll ? this.#shortened(begin, size) : null;
  }

  async #shortened(line: Buffer, nextOffset: number): Promise<Piece> {
    const length = Math.min(nextOffset, BEFORE_BYTES);
    const before = await this.#readAt(nextOffset - length, length);
    const bytes = Buffer.concat([line.subarray(0, LONGEST_LINE_BYTES), Buffer.from('\n')]);
    return this.#piece(bytes, before, nextOffset);
  }

  async #readAt(offset: number, bytes: number): Promise<Buffer> {
    if (bytes <= 0) return NONE;
    const target = Buffer.allocUnsafe(bytes);
    const { bytesRead } = await this.#file.read(target, 0, bytes, offset);
    return target.subarray(0, bytesRead);
  }
}

/** The end of what was read, a copy: it outlives the rest. */
export function lastOf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(-BEFORE_BYTES));
}
