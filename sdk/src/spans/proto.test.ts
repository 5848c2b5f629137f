import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LARGEST_NUMBER, PADDED_NUMBER, patchNumber, Times, varint } from './proto.ts';

describe('numbers of a fixed width', () => {
  test('read as what was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LARGEST_NUMBER }), (value) => {
        const bytes = Buffer.alloc(PADDED_NUMBER);
        patchNumber(bytes, 0, value, PADDED_NUMBER);
        expect(read(bytes)).toBe(BigInt(value));
        expect(read(Buffer.from(varint(value)))).toBe(BigInt(value));
        expect(bytes.subarray(0, -1).every((byte) => byte >= 128) && bytes.at(-1)! < 128).toBe(true);
      }),
    );
  });
});

describe('times', () => {
  test('are nanoseconds since 1970, whole', () => {
    const year = 366 * 86_400_000;
    const times = new Times();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 150 * year }), fc.integer({ min: 0, max: 999_999 }), (ms, nanos) => {
        const bytes = Buffer.alloc(8);
        const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
        times.patch(view, 0, ms);
        expect(bytes.readBigUInt64LE()).toBe(BigInt(ms) * 1_000_000n);
        times.patch(view, 0, ms + nanos / 1e6);
        // A double has about 200 ns left of a time of day in milliseconds.
        const written = Number(bytes.readBigUInt64LE() - BigInt(ms) * 1_000_000n);
        expect(Math.abs(written - nanos)).toBeLessThanOrEqual(1000);
      }),
    );
  });
});

function read(bytes: Buffer): bigint {
  return [...bytes].reduce((sum, byte, place) => sum | (BigInt(byte & 127) << BigInt(7 * place)), 0n);
}
