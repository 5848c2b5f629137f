import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Readable, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { createUnzstd } from '../bill/index.ts';
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
      if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
      return head.readUInt32LE(0) === 0xfd2fb528 ? 'zstd' : 'plain';
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException).code;
  return code?.startsWith('E') ? fail('FILE_UNREADABLE', { file: path, reason: code }, [], cause) : cause;
}

/** Gives a file's unpacked bytes. */
export async function* unpacked(path: string, packing: Packing): AsyncGenerator<Buffer> {
  const raw = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 1 << 20 });
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

/** Cuts a stream of bytes into chunks of whole lines. */
export async function* lineChunks(bytes: AsyncIterable<Buffer>, file: string): AsyncGenerator<LineChunk> {
  let parts: Buffer[] = [];
  let size = 0;
  let offset = 0;
  let firstLine = 1;
  for await (const chunk of bytes) {
    parts.push(chunk);
    size += chunk.length;
    if (size < CHUNK_BYTES) continue;
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
