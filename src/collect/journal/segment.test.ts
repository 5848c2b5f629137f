import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSegment, encodeFrameHead, encodeHeader, FRAME_BYTES, HEADER_BYTES, SegmentKind } from './segment.ts';

const header = { kind: SegmentKind.work, id: 7, receivedDay: 20_089 };
const frame = (payload: Buffer, rows: number) => Buffer.concat([encodeFrameHead(payload, rows), payload]);
const payloads = fc.array(
  fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 6 },
);
const segmentOf = (contents: readonly Buffer[]) =>
  Buffer.concat([encodeHeader(header), ...contents.map((payload, place) => frame(payload, place + 1))]);
const rowsOf = (contents: readonly Buffer[]) => contents.reduce((sum, _, place) => sum + place + 1, 0);
const hex = (buffers: readonly Buffer[]) => buffers.map((buffer) => buffer.toString('hex'));

describe('a segment on disk', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(payloads, (contents) => {
        const content = decodeSegment(segmentOf(contents));
        expect(content).toMatchObject({ ...header, rows: rowsOf(contents), tornBytes: 0, damagedFrames: 0 });
        expect(hex(content!.payloads)).toEqual(hex(contents));
      }),
    );
  });

  it('cut anywhere, keeps its whole frames and calls the rest torn, not damaged', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (contents, at) => {
        const bytes = segmentOf(contents);
        const end = at % (bytes.length + 1);
        const content = decodeSegment(bytes.subarray(0, end));
        const ends = contents.map((_, place) => segmentOf(contents.slice(0, place + 1)).length);
        const whole = contents.filter((_, place) => ends[place]! <= end);
        if (end < HEADER_BYTES) expect(content).toBeNull();
        else {
          expect(hex(content!.payloads)).toEqual(hex(whole));
          expect(content).toMatchObject({ damagedFrames: 0, tornBytes: end - segmentOf(whole).length });
        }
      }),
    );
  });

  it('with zeros behind its end, as a power cut leaves them, has no frames there', () => {
    fc.assert(
      fc.property(payloads, fc.integer({ min: 1, max: 100 }), (contents, zeros) => {
        const content = decodeSegment(Buffer.concat([segmentOf(contents), Buffer.alloc(zeros)]));
        expect(content).toMatchObject({ rows: rowsOf(contents), tornBytes: zeros, damagedFrames: 0 });
        expect(content!.payloads).toHaveLength(contents.length);
      }),
    );
  });

  it('with one bit wrong, loses the frame that it is in and no other, and says so', () => {
    const withFlip = payloads.filter((contents) => contents.length > 1);
    fc.assert(
      fc.property(withFlip, fc.nat(), (contents, flip) => {
        const bytes = segmentOf(contents);
        // A bit of the last frame looks like a write that broke off.
        const behind = bytes.length - HEADER_BYTES - FRAME_BYTES - contents.at(-1)!.length;
        const bit = flip % (behind * 8);
        bytes[HEADER_BYTES + (bit >> 3)]! ^= 1 << (bit & 7);
        const lost = contents.findIndex(
          (_, place) => segmentOf(contents.slice(0, place + 1)).length > HEADER_BYTES + (bit >> 3),
        );
        const content = decodeSegment(bytes);
        expect(hex(content!.payloads)).toEqual(hex(contents.filter((_, place) => place !== lost)));
        expect(content).toMatchObject({ damagedFrames: 1, tornBytes: 0, rows: rowsOf(contents) - (lost + 1) });
      }),
      { numRuns: 500 },
    );
  });

  it('with one bit of its last frame wrong, does not hand that frame on', () => {
    fc.assert(
      fc.property(
        payloads.filter((contents) => contents.length > 0),
        fc.nat(),
        (contents, flip) => {
          const bytes = segmentOf(contents);
          const start = segmentOf(contents.slice(0, -1)).length;
          const bit = flip % ((bytes.length - start) * 8);
          bytes[start + (bit >> 3)]! ^= 1 << (bit & 7);
          const content = decodeSegment(bytes);
          expect(hex(content!.payloads)).toEqual(hex(contents.slice(0, -1)));
          expect(content!.damagedFrames + content!.tornBytes).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('with one bit of its header wrong, is not taken for a segment', () => {
    fc.assert(
      fc.property(payloads, fc.nat(HEADER_BYTES * 8 - 1), (contents, bit) => {
        const bytes = segmentOf(contents);
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        expect(decodeSegment(bytes)).toBeNull();
      }),
    );
  });

  it('of any bytes, ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const content = decodeSegment(Buffer.concat([encodeHeader(header), bytes]));
        expect(content!.payloads.length).toBeLessThanOrEqual(bytes.length / FRAME_BYTES);
      }),
    );
  });
});
