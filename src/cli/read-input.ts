import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Readable, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { createUnzstd } from '../bill/front.ts';
import { fail } from '../model/index.ts';

export type Packing = 'plain' | 'gzip' | 'zstd';

const CHUNK_BYTES = 8 << 20;
const LINE_FEED = 0x0a;
const LONGEST_LINE_BYTES = 60 << 20;
const MORE_OF_A_LINE_BYTES = 1 << 20;

/** Whole lines of a file, with where they stand in it after unpacking. */
export interface LineChunk {
  readonly bytes: Buffer;
  readonly offset: number;
  readonly firstLine: number;
}

/**
 * Says how a file is packed, by its first bytes, and that it is whole.
 *
 * Fails  FILE_UNREADABLE; FILE_DAMAGED for a packed file that is damaged or cut short, before anything of it was used.
 */
export async function checkFile(path: string): Promise<Packing> {
  const packing = await packingOf(path);
  if (packing === 'plain') return packing;
  for await (const _ of unpacked(path, packing));
  return packing;
}

async function packingOf(path: string): Promise<Packing> {
  try {
    if (!(await stat(path)).isFile()) throw fail('FILE_UNREADABLE', { file: path, reason: 'it is not a file' });
    const file = await open(path, 'r');
    try {
      const head = Buffer.alloc(4);
      await file.read(head, 0, 4, 0);
      return packingOfHead(head);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Takes  head: at least the first 4 bytes, where there are so many. */
function packingOfHead(head: Buffer): Packing {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528 ? 'zstd' : 'plain';
}

function unreadable(path: string, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException).code;
  return code?.startsWith('E') ? fail('FILE_UNREADABLE', { file: path, reason: code }, [], cause) : cause;
}

/** Gives a file's unpacked bytes. */
export async function* unpacked(path: string, packing: Packing): AsyncGenerator<Buffer> {
  const raw = createReadStream(path, { highWaterMark: 1 << 20 });
  yield* unpackedStream(path, raw, packing);
}

/** Gives the unpacked bytes of a stream whose packing its first bytes tell; one that is cut short is found at its end only. */
export async function* unpackedInput(input: NodeJS.ReadableStream): AsyncGenerator<Buffer> {
  const chunks = (input as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < 4) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const whole = async function* () {
    yield head;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  };
  yield* unpackedStream('standard input', Readable.from(whole(), { objectMode: false }), packingOfHead(head));
}

async function* unpackedStream(path: string, raw: NodeJS.ReadableStream, packing: Packing): AsyncGenerator<Buffer> {
  try {
    if (packing === 'plain') yield* raw as AsyncIterable<Buffer>;
    else yield* pipeThrough(raw, packing === 'gzip' ? createGunzip({ chunkSize: 1 << 18 }) : createUnzstd());
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code.startsWith('E') && !code.startsWith('ERR')) throw unreadable(path, cause);
    throw fail('FILE_DAMAGED', { file: path }, [], cause);
  }
}

function pipeThrough(raw: NodeJS.ReadableStream, unpacker: Transform): AsyncIterable<Buffer> {
  raw.on('error', (cause) => unpacker.destroy(cause));
  return raw.pipe(unpacker);
}

/** Gives null wherever nothing comes for a while: whoever collects bytes can use what there is. */
export async function* withPauses(bytes: AsyncIterable<Buffer>, pauseMs: number): AsyncGenerator<Buffer | null> {
  const chunks = bytes[Symbol.asyncIterator]();
  for (;;) {
    const next = chunks.next();
    let timer: NodeJS.Timeout | undefined;
    const quiet = new Promise<null>((done) => {
      timer = setTimeout(() => done(null), pauseMs);
    });
    if ((await Promise.race([next, quiet])) === null) yield null;
    clearTimeout(timer);
    const { done, value } = await next;
    if (done === true) return;
    yield value;
  }
}

/** Cuts a stream of bytes into chunks of whole lines: large ones, and what there is where the stream pauses (null). */
export async function* lineChunks(bytes: AsyncIterable<Buffer | null>, file: string): AsyncGenerator<LineChunk> {
  let parts: Buffer[] = [];
  let size = 0;
  let offset = 0;
  let firstLine = 1;
  for await (const chunk of bytes) {
    if (chunk !== null) parts.push(chunk);
    size += chunk?.length ?? 0;
    if (size < CHUNK_BYTES && chunk !== null) continue;
    const all = Buffer.concat(parts, size);
    const end = all.lastIndexOf(LINE_FEED) + 1;
    if (end === 0 && size > LONGEST_LINE_BYTES)
      throw fail('BODY_TOO_LARGE', { file, line: firstLine, limitBytes: LONGEST_LINE_BYTES });
    if (end > 0) {
      yield { bytes: all.subarray(0, end), offset, firstLine };
      offset += end;
      firstLine += countLines(all, end);
    }
    parts = [all.subarray(end)];
    size = all.length - end;
  }
  if (size > 0) yield { bytes: Buffer.concat(parts, size), offset, firstLine };
}

/** Chunks of a file that are in memory at once: one is read while two are on their way. */
const CHUNKS_AT_ONCE = 3;

/**
 * Cuts a file that is not packed into chunks of whole lines. They lie in few buffers that are used in turn: new ones for each chunk
 * would keep the garbage collector as busy as reading lines does.
 *
 * Holds  the bytes of a chunk stay until the third one after it is asked for.
 * Fails  FILE_UNREADABLE, BODY_TOO_LARGE.
 */
export async function* fileLineChunks(path: string): AsyncGenerator<LineChunk> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const buffers: Buffer[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let [offset, firstLine] = [0, 1];
  try {
    for (let turn = 0; ; turn = (turn + 1) % CHUNKS_AT_ONCE) {
      // A long line grows little by little: with much behind it, a chunk would be larger than what is taken at once.
      const needed = rest.length + (rest.length < CHUNK_BYTES ? CHUNK_BYTES : MORE_OF_A_LINE_BYTES);
      if ((buffers[turn]?.length ?? 0) < needed) buffers[turn] = Buffer.allocUnsafeSlow(needed);
      const size = await fill(file, buffers[turn]!.subarray(0, needed), rest);
      const all = buffers[turn]!.subarray(0, size);
      const end = size < needed ? size : all.lastIndexOf(LINE_FEED) + 1;
      if (end === 0 && size > LONGEST_LINE_BYTES)
        throw fail('BODY_TOO_LARGE', { file: path, line: firstLine, limitBytes: LONGEST_LINE_BYTES });
      if (end > 0) yield { bytes: all.subarray(0, end), offset, firstLine };
      if (size < needed) return;
      offset += end;
      firstLine += countLines(all, end);
      rest = all.subarray(end);
    }
  } catch (cause) {
    throw unreadable(path, cause);
  } finally {
    await file.close();
  }
}

/** Puts what is left of the chunk before in front, and the file's next bytes behind it. Gives  less than its length at the end only. */
async function fill(file: FileHandle, into: Buffer, rest: Buffer): Promise<number> {
  let size = rest.copy(into);
  while (size < into.length) {
    const { bytesRead } = await file.read(into, size, into.length - size);
    if (bytesRead === 0) break;
    size += bytesRead;
  }
  return size;
}

function countLines(bytes: Buffer, end: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0 && at < end; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}

/** Gives a file as a web stream, for the body of a request. */
export function fileStream(path: string): ReadableStream<Uint8Array> {
  return Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
}
