import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME_HEAD, readFrames, sealFrame } from './frame.ts';

const payloads = fc.array(fc.tuple(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 9 })), {
  maxLength: 6,
});

function fileOf(frames: readonly (readonly [Uint8Array, number])[]): Buffer {
  return Buffer.concat(
    frames.map(([payload, spans]) => {
      const frame = Buffer.concat([Buffer.alloc(FRAME_HEAD), payload]);
      sealFrame(frame, spans);
      return frame;
    }),
  );
}

describe('frames', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(payloads, (frames) => {
        const { frames: found, spans, tornBytes } = readFrames(fileOf(frames));
        expect(found.map(({ payload, spans: each }) => [[...payload], each])).toEqual(
          frames.map(([payload, count]) => [[...payload], count]),
        );
        expect([spans, tornBytes]).toEqual([frames.reduce((sum, [, count]) => sum + count, 0), 0]);
      }),
    );
  });

  test('a file that ends anywhere gives the frames before its end', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (frames, cut) => {
        const whole = fileOf(frames);
        const bytes = whole.subarray(0, cut % (whole.length + 1));
        const { frames: found, tornBytes } = readFrames(bytes);
        const kept = fileOf(frames.slice(0, found.length));
        expect(found.map(({ payload }) => [...payload])).toEqual(
          frames.slice(0, found.length).map(([payload]) => [...payload]),
        );
        expect(kept.length + tornBytes).toBe(bytes.length);
        expect(kept.length + (frames[found.length]?.[0].length ?? 0) + FRAME_HEAD).toBeGreaterThan(bytes.length);
      }),
    );
  });

  test('a bit that changed ends the file there', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), fc.nat(7), (frames, place, bit) => {
        const bytes = fileOf(frames);
        fc.pre(bytes.length > 0);
        const at = place % bytes.length;
        bytes[at]! ^= 1 << bit;
        const { frames: found, spans } = readFrames(bytes);
        expect(found.length).toBeLessThan(frames.length);
        expect(found.map(({ payload }) => [...payload])).toEqual(
          frames.slice(0, found.length).map(([payload]) => [...payload]),
        );
        expect(spans).toBe(frames.slice(0, found.length).reduce((sum, [, count]) => sum + count, 0));
      }),
    );
  });
});
