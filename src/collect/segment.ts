import { crc32 } from 'node:zlib';

/**
 * A journal segment on disk:
 *   header  magic "TXM1", format u16, kind u16, id u64, received day u32, crc32 of these
 *   frames  length u32, rows u32, crc32 u32 of the payload, payload
 * A frame is written and synced as a whole; one that breaks off was never acknowledged.
 */
const MAGIC = 0x314d5854;
const FORMAT = 1;
export const HEADER_BYTES = 24;
export const FRAME_BYTES = 12;

export const SegmentKind = { work: 1, samples: 2 } as const;
export type SegmentKind = (typeof SegmentKind)[keyof typeof SegmentKind];

export interface SegmentHeader {
  readonly kind: SegmentKind;
  readonly id: number;
  /** Days since 1970 UTC on which the segment was begun: the partition that its rows go to. */
  readonly receivedDay: number;
}

export interface SegmentContent extends SegmentHeader {
  /** Payloads of the whole frames, in order. */
  readonly payloads: readonly Buffer[];
  readonly rows: number;
  /** Bytes behind the last whole frame: a write that broke off, never acknowledged. */
  readonly tornBytes: number;
  /** Frames whose checksum is wrong though more follows: acknowledged data that the disk lost. */
  readonly damagedFrames: number;
}

export function encodeHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt16LE(FORMAT, 4);
  bytes.writeUInt16LE(header.kind, 6);
  bytes.writeBigUInt64LE(BigInt(header.id), 8);
  bytes.writeUInt32LE(header.receivedDay, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
  return bytes;
}

/** Writes the head of a frame; the payload follows it on disk. */
export function encodeFrameHead(payload: Buffer, rows: number): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_BYTES);
  bytes.writeUInt32LE(payload.length, 0);
  bytes.writeUInt32LE(rows, 4);
  bytes.writeUInt32LE(crc32(payload), 8);
  return bytes;
}

/**
 * Reads a segment back.
 *
 * Gives  its whole frames; null when even the header is not ours: nothing in it was ever acknowledged.
 */
export function decodeSegment(bytes: Buffer): SegmentContent | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC || bytes.readUInt16LE(4) !== FORMAT) return null;
  if (crc32(bytes.subarray(0, 20)) !== bytes.readUInt32LE(20)) return null;
  const payloads: Buffer[] = [];
  let rows = 0;
  let damagedFrames = 0;
  let at = HEADER_BYTES;
  while (at + FRAME_BYTES <= bytes.length) {
    const length = bytes.readUInt32LE(at);
    const end = at + FRAME_BYTES + length;
    if (end > bytes.length) break;
    const payload = bytes.subarray(at + FRAME_BYTES, end);
    if (crc32(payload) === bytes.readUInt32LE(at + 8)) {
      payloads.push(payload);
      rows += bytes.readUInt32LE(at + 4);
    } else if (end < bytes.length) {
      damagedFrames += 1;
    } else break;
    at = end;
  }
  return {
    kind: bytes.readUInt16LE(6) as SegmentKind,
    id: Number(bytes.readBigUInt64LE(8)),
    receivedDay: bytes.readUInt32LE(16),
    payloads,
    rows,
    tornBytes: bytes.length - at,
    damagedFrames,
  };
}
