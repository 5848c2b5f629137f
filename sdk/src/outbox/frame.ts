import { crc32 } from 'node:zlib';

/** Before each frame: a mark, the length of what follows, its checksum, how many spans are in it. */
export const FRAME_HEAD = 16;
const MARK = 0x314d_5854;

export interface Frame {
  /** A request of OTLP; whole frames one behind the other are one, too. */
  readonly payload: Buffer;
  readonly spans: number;
}

/** What a file holds, up to its torn or damaged end. */
export interface FileContent {
  readonly frames: readonly Frame[];
  readonly spans: number;
  /** Bytes behind the last whole frame. */
  readonly tornBytes: number;
}

/** Writes the head of a frame whose payload stands behind it already. */
export function sealFrame(frame: Buffer, spans: number): void {
  const payload = frame.subarray(FRAME_HEAD);
  frame.writeUInt32LE(MARK, 0);
  frame.writeUInt32LE(payload.length, 4);
  // The count begins the checksum, so that it is part of it.
  frame.writeUInt32LE(crc32(payload, spans), 8);
  frame.writeUInt32LE(spans, 12);
}

/** Reads frames until the first that is not whole: a crash in the middle of a write leaves one, at the end. */
export function readFrames(bytes: Buffer): FileContent {
  const frames: Frame[] = [];
  let [at, spans] = [0, 0];
  while (at + FRAME_HEAD <= bytes.length && bytes.readUInt32LE(at) === MARK) {
    const end = at + FRAME_HEAD + bytes.readUInt32LE(at + 4);
    const payload = bytes.subarray(at + FRAME_HEAD, end);
    const count = bytes.readUInt32LE(at + 12);
    if (end > bytes.length || crc32(payload, count) !== bytes.readUInt32LE(at + 8)) break;
    frames.push({ payload, spans: count });
    spans += count;
    at = end;
  }
  return { frames, spans, tornBytes: bytes.length - at };
}
