import { stat } from 'node:fs/promises';
import { lineCount } from '../lines.ts';
import { fingerprintOf, firstLineOf, headText } from '../log-query.ts';
import { checkFile, lineChunks, type Packing, unpacked } from '../read-input.ts';
import { inodeOf, lastOf, type Piece } from './followed-log.ts';
import { hashed, type Position } from './positions.ts';

/** A log that was packed: it grows no more, and is read once from where it was left. */
export interface PackedLog {
  readonly inode: string;
  readonly fingerprint: string;
  readonly head: Buffer;
  readonly headText: string;
  /** Where reading begins; null: at the top. */
  readonly from: Position | null;
  readonly pieces: AsyncIterable<Piece>;
}

/**
 * Opens a packed log.
 *
 * Takes  known: positions, those that were read furthest first.
 * Gives  null when the file is empty, or not packed at all.
 * Fails  FILE_UNREADABLE, FILE_DAMAGED.
 */
export async function openPacked(path: string, known: readonly Position[]): Promise<PackedLog | null> {
  const packing = await checkFile(path);
  if (packing === 'plain') return null;
  const head = await headOf(path, packing);
  if (head.length === 0) return null;
  const fingerprint = fingerprintOf(firstLineOf(head));
  const candidates = known.filter((position) => position.fingerprint === fingerprint);
  let from: Position | null = null;
  for (const candidate of candidates) {
    if (!(await continues(path, packing, candidate))) continue;
    from = candidate;
    break;
  }
  const pieces = piecesFrom(path, packing, from?.offset ?? 0, from?.line ?? 1);
  const inode = inodeOf(await stat(path, { bigint: true }));
  return { inode, fingerprint, head, headText: headText(head), from, pieces };
}

async function headOf(path: string, packing: Packing): Promise<Buffer> {
  for await (const { bytes } of lineChunks(unpacked(path, packing), path)) return bytes;
  return Buffer.alloc(0);
}

/** Whether what stands before the position is what was read then. */
async function continues(path: string, packing: Packing, position: Position): Promise<boolean> {
  const from = position.offset - position.beforeBytes;
  const before: Buffer[] = [];
  let at = 0;
  for await (const bytes of unpacked(path, packing)) {
    before.push(bytes.subarray(Math.max(0, from - at), Math.max(0, position.offset - at)));
    at += bytes.length;
    if (at >= position.offset) return hashed(Buffer.concat(before)) === position.before;
  }
  return position.offset === 0;
}

async function* piecesFrom(path: string, packing: Packing, offset: number, line: number): AsyncGenerator<Piece> {
  let firstLine = line;
  for await (const chunk of lineChunks(unpacked(path, packing), path)) {
    const nextOffset = chunk.offset + chunk.bytes.length;
    if (nextOffset <= offset) continue;
    const bytes = chunk.bytes.subarray(Math.max(0, offset - chunk.offset));
    const lines = lineCount(bytes);
    yield { bytes, offset: nextOffset - bytes.length, firstLine, nextOffset, lines, before: lastOf(bytes) };
    firstLine += lines;
  }
}
