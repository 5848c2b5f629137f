import { type FileHandle, mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Layer, SeenIds } from './seen-ids.ts';

/**
 * What was seen, written down, so that a start need not read all ids from the store:
 *   magic "TXS1", layers u32, seed i32, batch f64, store: 36 bytes that name the tables it is about
 *   for each layer: words u32, capacity f64, count f64, last day u32, its bits
 *   crc32 u32 of everything before it
 * A file that is not whole is as good as none: then the store is read.
 */
const MAGIC = 0x31535854;
const STORE_BYTES = 36;
const HEAD_BYTES = 20 + STORE_BYTES;
const LAYER_BYTES = 24;
const PIECE_BYTES = 4 << 20;

export interface SeenFile {
  readonly seen: SeenIds;
  /** Of all batches up to this one the ids are in it. */
  readonly batch: number;
  /** Names the tables: another store's ids would be no help. */
  readonly store: string;
}

/** Writes what was seen. Bits that are added meanwhile may be in it or not: more than what `batch` says is never wrong. */
export async function writeSeen(path: string, { seen, batch, store }: SeenFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(`${path}.new`, 'w');
  try {
    await writeLayers(file, { seen, batch, store });
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

async function writeLayers(file: FileHandle, { seen, batch, store }: SeenFile): Promise<void> {
  let checksum = 0;
  const write = async (piece: Buffer) => {
    checksum = crc32(piece, checksum);
    await file.appendFile(piece);
  };
  const layers = [...seen.layers];
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt32LE(layers.length, 4);
  head.writeInt32LE(seen.seed, 8);
  head.writeDoubleLE(batch, 12);
  head.write(store.padEnd(STORE_BYTES).slice(0, STORE_BYTES), 20, 'latin1');
  await write(head);
  for (const { bits, capacity, count, lastDay } of layers) {
    const about = Buffer.alloc(LAYER_BYTES);
    about.writeUInt32LE(bits.length, 0);
    about.writeDoubleLE(capacity, 4);
    about.writeDoubleLE(count, 12);
    about.writeUInt32LE(lastDay, 20);
    await write(about);
    const bytes = Buffer.from(bits.buffer, bits.byteOffset, bits.byteLength);
    // A copy of each piece: what is written must be what the checksum is of.
    for (let at = 0; at < bytes.length; at += PIECE_BYTES)
      await write(Buffer.from(bytes.subarray(at, at + PIECE_BYTES)));
  }
  const end = Buffer.alloc(4);
  end.writeUInt32LE(checksum, 0);
  await file.appendFile(end);
}

/** Reads what was written down; null where there is none, or none that is whole. */
export async function readSeen(path: string): Promise<SeenFile | null> {
  const bytes = await readFile(path).catch(() => null);
  if (bytes === null || bytes.length < HEAD_BYTES + LAYER_BYTES + 4 || bytes.readUInt32LE(0) !== MAGIC) return null;
  if (crc32(bytes.subarray(0, -4)) !== bytes.readUInt32LE(bytes.length - 4)) return null;
  const layers: Layer[] = [];
  let at = HEAD_BYTES;
  for (let left = bytes.readUInt32LE(4); left > 0; left--) {
    const words = bytes.readUInt32LE(at);
    const [capacity, count, lastDay] = [
      bytes.readDoubleLE(at + 4),
      bytes.readDoubleLE(at + 12),
      bytes.readUInt32LE(at + 20),
    ];
    at += LAYER_BYTES;
    const bits = new Uint32Array(words);
    bytes.copy(new Uint8Array(bits.buffer), 0, at, at + words * 4);
    at += words * 4;
    layers.push({ bits, capacity, count, lastDay });
  }
  return { seen: SeenIds.of(bytes.readInt32LE(8), layers), batch: bytes.readDoubleLE(12), store: storeIn(bytes) };
}

function storeIn(bytes: Buffer): string {
  return bytes.toString('latin1', 20, HEAD_BYTES).trimEnd();
}

/** The largest batch that any file of a folder tells of; new ones must be larger, or they would be taken for known. */
export async function largestSeenBatch(folder: string): Promise<number> {
  let largest = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const file = await open(join(folder, name), 'r');
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
      if (bytesRead === HEAD_BYTES && head.readUInt32LE(0) === MAGIC)
        largest = Math.max(largest, head.readDoubleLE(12));
    } finally {
      await file.close();
    }
  }
  return largest;
}
