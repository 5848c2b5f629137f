import { expect, it } from 'vitest';
import { policy, START_US } from '../../../test/conformance/limits/world.ts';
import { parseDocuments } from '../../store/index.ts';
import { type LimitPolicySpec, limitPolicySpec } from '../policy/policy.ts';
import type { ArrivedCall } from '../queries.ts';
import { Replay } from './what-if.ts';

const ONE = 1_000_000;
const USD = 10n ** 18n;

function replayed(yaml: string, calls: readonly Partial<ArrivedCall>[], price: bigint | null = null) {
  const policies = parseDocuments(yaml).map((document) => {
    const checked = document.check<LimitPolicySpec>(limitPolicySpec);
    if ('problems' in checked) throw new Error(JSON.stringify(checked.problems));
    return { name: document.name, version: 1, spec: checked.value };
  });
  const replay = new Replay({
    ...{ policies, plans: new Map(), fromUs: 0, toUs: Number.MAX_SAFE_INTEGER },
    ratedCostOf: (_, currency) => (price === null ? null : { amountAtto: price, currency }),
    savedBy: ({ tenant }) => (tenant === 'free' ? null : (price ?? USD)),
  });
  const usual = { us: START_US, tenant: 'a', consumer: '', endpoint: 'GET /a', shareMicro: ONE, isRefused: false };
  for (const call of calls) replay.next({ ...usual, ...call });
  return replay.report();
}

const every = (seconds: number, count: number, call: Partial<ArrivedCall> = {}) =>
  Array.from({ length: count }, (_, i) => ({ ...call, us: START_US + i * seconds * ONE }));

it('says who would have been limited, when first, how many calls, and what they cost', () => {
  const yaml = policy('p', 'mode: shadow', 'id: minute, amount: 3, window: { fixed: 60s }');
  const calls = [...every(10, 12), ...every(10, 4, { tenant: 'free' }), ...every(30, 4, { tenant: 'slow' })];
  const { rows, callsMicro, limitedMicro } = replayed(
    yaml,
    calls.sort((a, b) => a.us - b.us),
  );
  expect([callsMicro, limitedMicro]).toEqual([20_000_000n, 7_000_000n]);
  expect(rows).toEqual([
    {
      ...{ policy: 'p', limit: 'minute', per: { tenant: 'a' } },
      ...{ firstUs: START_US + 30 * ONE, lastUs: START_US + 110 * ONE },
      ...{ limitedMicro: 6_000_000n, savedAtto: 6n * USD, unknownCostMicro: 0n },
    },
    expect.objectContaining({
      per: { tenant: 'free' },
      limitedMicro: 1_000_000n,
      savedAtto: null,
      unknownCostMicro: 1_000_000n,
    }),
  ]);
});

it('takes a sampled call for as many as it stands for, and what was refused anyway saves nothing', () => {
  const yaml = policy('p', 'per: [tenant]', 'id: minute, amount: 10, window: { fixed: 60s }');
  const { rows, limitedMicro } = replayed(yaml, [{ shareMicro: 8 * ONE }, { shareMicro: 8 * ONE }]);
  expect([limitedMicro, rows[0]!.savedAtto]).toEqual([6_000_000n, 6n * USD]);
  const again = replayed(yaml, every(1, 12, { isRefused: true }));
  expect([again.refusedBeforeMicro, again.rows[0]!.savedAtto]).toEqual([12_000_000n, null]);
});

it('counts money by the rates, and says of which calls it cannot', () => {
  const yaml = policy(
    'p',
    'per: [tenant]',
    'id: day, amount: "1.00", money: { currency: USD }, window: { calendar: day }',
  );
  const known = replayed(yaml, every(1, 9), USD / 4n);
  expect([known.limitedMicro, known.undecidedMicro, known.rows[0]!.savedAtto]).toEqual([
    5_000_000n,
    0n,
    (5n * USD) / 4n,
  ]);
  const unknown = replayed(yaml, every(1, 9));
  expect([unknown.limitedMicro, unknown.undecidedMicro]).toEqual([0n, 9_000_000n]);
  const other = policy('q', 'per: [tenant]', 'id: day, amount: 4, window: { calendar: day }');
  const both = replayed(`${yaml}---\n${other}`, every(1, 9));
  expect([both.limitedMicro, both.undecidedMicro]).toEqual([5_000_000n, 9_000_000n]);
  const assumed = replayed(yaml.replace('USD }', 'USD, assumedCost: "0.5" }'), every(1, 9));
  expect([assumed.limitedMicro, assumed.undecidedMicro]).toEqual([7_000_000n, 0n]);
});

it('names what calls cannot replay', () => {
  const yaml = policy(
    'p',
    'per: [organisation]',
    'id: f, amount: 1, concurrency: true',
    'id: t, amount: 1, unit: tokens, window: { fixed: 1h }',
  );
  expect(replayed(yaml, []).left.map(({ limit }) => limit)).toEqual(['f', 't']);
});
