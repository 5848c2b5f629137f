import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Readable, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { createUnzstd } from '../bill/front.ts';
import { fail } from '../model/index.ts';

export type Packing = 'plain' | 'gzip' | 'zstd';

const CHUNK_BYTES = 8 << 20;
const LONGEST_LINE_BYTES = 60 << 20;

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
    const end = all.lastIndexOf(10) + 1;
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

function countLines(bytes: Buffer, end: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0 && at < end; at = bytes.indexOf(10, at + 1)) lines += 1;
  return lines;
}

/** Gives a file as a web stream, for the body of a request. */
export function fileStream(path: string): ReadableStream<Uint8Array> {
  return Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>;
}
