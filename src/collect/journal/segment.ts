import { crc32 } from 'node:zlib';

/**
 * A journal segment on disk:
 *   header  magic "TXM1", format u16, kind u16, id u64, received day u32, crc32 of these
 *   frames  magic "TXMF", length u32, rows u32, crc32 u32 of length, rows and payload, payload
 * A frame is written and synced as a whole; one that breaks off was never acknowledged. The magic is what
 * the next frame is found by when the one before it, perhaps its length, is damaged.
 */
const MAGIC = 0x314d5854;
const FRAME_MAGIC = 0x464d5854;
const FORMAT = 3;
export const HEADER_BYTES = 24;
export const FRAME_BYTES = 16;

export const SegmentKind = { work: 1, samples: 2, events: 3 } as const;
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
  /** Stretches that are no frame though a whole frame follows: acknowledged data that the disk lost. */
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
  bytes.writeUInt32LE(FRAME_MAGIC, 0);
  bytes.writeUInt32LE(payload.length, 4);
  bytes.writeUInt32LE(rows, 8);
  bytes.writeUInt32LE(crc32(payload, crc32(bytes.subarray(4, 12))), 12);
  return bytes;
}

/**
 * Reads a segment back.
 *
 * Gives  its whole frames; null when even the header is not whole. Where more follows the header, acknowledged data was lost.
 */
export function decodeSegment(bytes: Buffer): SegmentContent | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MAGIC || bytes.readUInt16LE(4) !== FORMAT) return null;
  if (crc32(bytes.subarray(0, 20)) !== bytes.readUInt32LE(20)) return null;
  const payloads: Buffer[] = [];
  let rows = 0;
  let damagedFrames = 0;
  let at = HEADER_BYTES;
  for (;;) {
    const start = nextFrame(bytes, at);
    if (start === null) break;
    if (start > at) damagedFrames += 1;
    const end = frameEnd(bytes, start)!;
    payloads.push(bytes.subarray(start + FRAME_BYTES, end));
    rows += bytes.readUInt32LE(start + 8);
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

/** Where the next whole frame begins, most often right here; null when there is none. */
function nextFrame(bytes: Buffer, from: number): number | null {
  for (let at = from; at >= 0; at = bytes.indexOf(frameMagic, at + 1)) if (frameEnd(bytes, at) !== null) return at;
  return null;
}

const frameMagic = Buffer.alloc(4);
frameMagic.writeUInt32LE(FRAME_MAGIC);

/** Where the frame at a place ends; null when there is no whole frame. */
function frameEnd(bytes: Buffer, at: number): number | null {
  if (at + FRAME_BYTES > bytes.length || bytes.readUInt32LE(at) !== FRAME_MAGIC) return null;
  const end = at + FRAME_BYTES + bytes.readUInt32LE(at + 4);
  if (end > bytes.length) return null;
  const checksum = crc32(bytes.subarray(at + FRAME_BYTES, end), crc32(bytes.subarray(at + 4, at + 12)));
  return checksum === bytes.readUInt32LE(at + 12) ? end : null;
}
