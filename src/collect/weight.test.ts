import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitWeight, weightFromPower, weightFromRate, weightFromTraceState } from './weight.ts';

describe('weights by older forms', () => {
  it.each([
    ['ot=p:0', 1_000_000],
    ['ot=p:3;r:8', 8_000_000],
    ['ot=r:8;p:33', 2 ** 33 * 1_000_000],
    ['ot=p:63', null],
    ['ot=th:8', null],
    ['', null],
  ])('%s counts %i millionths', (tracestate, micro) => {
    expect(weightFromPower(tracestate)?.micro ?? null).toBe(micro);
  });

  it.each([
    [1, 1_000_000],
    [20, 20_000_000],
    [0, null],
    [-1, null],
    [Number.MAX_SAFE_INTEGER, null],
  ])('one of %i counts %i millionths', (rate, micro) => {
    expect(weightFromRate(rate)?.micro ?? null).toBe(micro);
  });
});

describe('the weight that a tracestate gives', () => {
  it.each([
    // Check values of docs: 2^56 / (2^56 - T), in millionths, rounded half-even.
    ['ot=th:0', 1_000_000],
    ['ot=th:8', 2_000_000],
    ['ot=th:c', 4_000_000],
    ['ot=th:e', 8_000_000],
    ['ot=th:f', 16_000_000],
    ['ot=th:aaab', 3_000_046],
    ['ot=th:cccd', 5_000_076],
    ['ot=th:e666', 9_999_390],
    ['ot=th:fd70a', 99_997_711],
    ['ot=th:ffbe77', 1_000_012_875],
    ['vendor=x,ot=rv:123456789abcde;th:c', 4_000_000],
    ['ot=th:c;rv:123456789abcde,vendor=th:8', 4_000_000],
    ['vendor=x, ot=th:8 ', 2_000_000],
  ])('%s counts %i millionths', (tracestate, micro) => {
    expect(weightFromTraceState(tracestate)).toEqual({ micro, isKnown: true });
  });

  it.each([
    ['nothing', ''],
    ['no threshold', 'ot=rv:123456789abcde'],
    ['no ot member', 'vendor=th:8'],
    ['a member that only ends in ot', 'foot=th:8'],
    ['capital digits', 'ot=th:C'],
    ['too many digits', 'ot=th:123456789abcdef'],
    ['no digits', 'ot=th:'],
    ['a weight that no longer fits a double', 'ot=th:fffffffff'],
    ['a weight that no longer fits 64 bits', 'ot=th:ffffffffffffff'],
  ])('%s: counts once, as unknown', (_, tracestate) => {
    expect(weightFromTraceState(tracestate)).toEqual({ micro: 1_000_000, isKnown: false });
  });

  it('is exact to half a millionth for every threshold, and never beyond a double', () => {
    const threshold = fc.bigInt({ min: 0n, max: 2n ** 56n - 1n });
    fc.assert(
      fc.property(threshold, (rejected) => {
        const { micro, isKnown } = weightFromTraceState(`ot=th:${rejected.toString(16).padStart(14, '0')}`);
        expect(Number.isSafeInteger(micro)).toBe(true);
        const kept = 2n ** 56n - rejected;
        const twiceOff = 2n * (BigInt(micro) * kept - 2n ** 56n * 1_000_000n);
        if (isKnown) expect(twiceOff <= kept && twiceOff >= -kept).toBe(true);
      }),
    );
  });
});

describe('splitting a weight', () => {
  it.each([
    [1_000_000, 1, [1_000_000]],
    [1_000_000, 3, [333_334, 333_333, 333_333]],
    [3_000_046, 4, [750_012, 750_012, 750_011, 750_011]],
    [2, 3, [1, 1, 0]],
  ])('%i over %i takers', (weight, takers, parts) => {
    expect(splitWeight(weight, takers)).toEqual(parts);
  });

  it('adds up, differs by at most one, and favours the earlier', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 200 }), (weight, takers) => {
        const parts = splitWeight(weight, takers);
        expect(parts.reduce((sum, part) => sum + BigInt(part), 0n)).toBe(BigInt(weight));
        expect(parts).toEqual([...parts].sort((a, b) => b - a));
        expect(parts[0]! - parts.at(-1)!).toBeLessThanOrEqual(1);
      }),
    );
  });
});
