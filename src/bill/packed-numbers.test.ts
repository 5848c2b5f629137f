import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PackedNumbers } from './packed-numbers.ts';

/** A run of one number, or groups of eight. */
type Run = { readonly value: number; readonly times: number } | { readonly numbers: readonly number[] };

function packed(runs: readonly Run[], width: number): Uint8Array {
  return Uint8Array.from(
    runs.flatMap((run) => {
      const isPacked = 'numbers' in run;
      const header = isPacked ? ((run.numbers.length / 8) << 1) | 1 : run.times << 1;
      const bits = isPacked ? run.numbers : [run.value];
      const each = isPacked ? width : ((width + 7) >> 3) * 8;
      const whole = bits.reduce((sum, number, place) => sum + (BigInt(number) << BigInt(place * each)), 0n);
      const sizeBytes = (bits.length * each) / 8;
      return [
        ...varint(header),
        ...Array.from({ length: sizeBytes }, (_, i) => Number((whole >> BigInt(8 * i)) & 255n)),
      ];
    }),
  );
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

const anyRuns = fc.integer({ min: 0, max: 24 }).chain((width) => {
  const number = fc.integer({ min: 0, max: 2 ** width - 1 });
  const group = fc
    .integer({ min: 1, max: 4 })
    .chain((groups) => fc.array(number, { minLength: groups * 8, maxLength: groups * 8 }));
  const run = fc.oneof(
    fc.record({ value: number, times: fc.integer({ min: 0, max: 300 }) }),
    group.map((numbers) => ({ numbers })),
  );
  return fc.record({ width: fc.constant(width), runs: fc.array(run, { maxLength: 6 }) });
});

test('numbers are read as they were packed, in any portions, and not one more', () => {
  fc.assert(
    fc.property(anyRuns, fc.integer({ min: 1, max: 70 }), ({ width, runs }, portion) => {
      const expected = runs.flatMap((run) => ('numbers' in run ? run.numbers : Array(run.times).fill(run.value)));
      const reader = new PackedNumbers(packed(runs, width), width);
      const read: number[] = [];
      while (read.length < expected.length) {
        const into = new Uint32Array(Math.min(portion, expected.length - read.length));
        reader.read(into, into.length);
        read.push(...into);
      }
      expect(read).toEqual(expected);
      expect(() => reader.read(new Uint32Array(1), 1)).toThrow(/too early/);
    }),
  );
});

test('what is cut short is told', () => {
  for (const bytes of [[], [2], [3], [0x80]]) {
    expect(() => new PackedNumbers(Uint8Array.from(bytes), 9).read(new Uint32Array(1), 1)).toThrow(/too early/);
  }
});
