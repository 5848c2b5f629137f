import { expect, test } from 'vitest';
import type { Slice } from '../cost/index.ts';
import { MILLIS_PER_HOUR, parseRange } from '../model/index.ts';
import { missingHours } from './missing-hours.ts';

const billing = parseRange('2022-08-01', '2022-09-01');

function slice(hour: number, hours = 1): Slice {
  const chargeStartMs = billing.fromMs + hour * MILLIS_PER_HOUR;
  return {
    ...{ source: 'AWS', account: 'a', currency: 'USD', poolId: 'p', kind: 'direct', driver: 'calls', model: 'm@1' },
    ...{ billingStartMs: billing.fromMs, billingEndMs: billing.toMs, pool: null, amountAtto: 1n },
    ...{ chargeStartMs, chargeEndMs: chargeStartMs + hours * MILLIS_PER_HOUR },
  };
}

test.each<[string, Slice[], number]>([
  ['no charge at all', [], 0],
  ['no hourly charge', [slice(0, 24), slice(48, 24)], 0],
  ['one hour', [slice(7)], 0],
  ['every hour, some twice, in any order', [slice(2), slice(0), slice(1), slice(1)], 0],
  ['two hours left out', [slice(0), slice(3)], 2],
  ['a longer charge over the gap', [slice(0), slice(1, 2), slice(3)], 2],
  ['a correction of an hour before the period', [slice(-30), slice(0), slice(1)], 0],
])('%s', (_name, slices, expected) => {
  expect(missingHours(slices)).toBe(expected);
});
