import { expect, it } from 'vitest';
import { limitPolicySpec } from './policy.ts';

const window = { fixed: '60s' };

it.each([
  [{ amount: 409_418_147_000_000, window, overdraft: { percent: 1000 } }, true],
  [{ amount: 409_418_148_000_000, window, overdraft: { percent: 1000 } }, false],
  [{ amount: 4_503_599_627_370_495, window }, true],
  [{ amount: '1000000.00', window, money: { currency: 'USD' }, overdraft: { percent: 300 } }, true],
  [{ amount: '1000000.00', window, money: { currency: 'USD' }, overdraft: { percent: 351 } }, false],
])('takes what can be counted exactly, overdraft included: %j is %s', (limit, isFine) => {
  const { success, error } = limitPolicySpec.safeParse({ limits: [{ id: 'a', ...limit }] });
  expect([success, error?.issues.map(({ path }) => path.join('.')) ?? []]).toEqual(
    isFine ? [true, []] : [false, ['limits.0.overdraft']],
  );
});
