import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ask, policiesOf, policy, START_US } from '../../test/conformance/limits/world.ts';
import { linesOf, type Made } from './demand.ts';

const money = 'id: spent, amount: "9.00", money: { currency: USD, decimals: 2 }, window: { fixed: 60s }';
const until = 'until: 2026-06-01T00:00:30Z, reason: launch';
const policies = policiesOf(
  [
    policy('all', 'per: []', 'id: a, amount: 5, rate: { per: 1s, burst: 9 }'),
    policy('some', 'match: { tenants: [a*] }', 'id: a, amount: 5, window: { fixed: 60s }', money),
    policy('few', `overrides: [{ match: { tenants: [ab] }, limits: { a: 9 }, ${until} }]`, 'id: a, amount: 5, window: { calendar: day }'),
    policy('heavy', 'weights: { "POST *": 7 }\n  enforcePercent: 50', 'id: a, amount: 5, overdraft: { percent: 20 }, window: { rolling: 60s }'),
    policy('short', 'until: 2026-06-01T00:00:20Z', 'id: flight, amount: 3, concurrency: true'),
  ].join('---\n'),
);

it('makes the same lines whether it remembers those of the asks before or not', () => {
  const one = fc.record({
    tenant: fc.constantFrom('a', 'ab', 'b'),
    endpoint: fc.constantFrom('', 'GET /x', 'POST /x'),
    units: fc.constantFrom(0, 1, 3),
    rated: fc.constantFrom(null, 10n ** 18n),
    seconds: fc.nat({ max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 30 }), (asks) => {
      const made: Made = { lines: [], ofLimits: [] };
      for (const { tenant, endpoint, units, rated, seconds } of asks) {
        const asked = ask(tenant, units, { endpoint });
        const ratedCostOf = (_: unknown, currency: string) => (rated === null ? null : { amountAtto: rated, currency });
        const lines = (remembered?: Made) => linesOf(policies, asked, ratedCostOf, START_US + seconds * 1e6, remembered);
        const [fresh, again] = [lines(), lines(made)];
        expect('unknownCost' in again).toBe('unknownCost' in fresh);
        if ('lines' in fresh && 'lines' in again) expect([...again.lines]).toEqual([...fresh.lines]);
      }
    }),
  );
});

it('makes nothing anew for the next one who wants the same', () => {
  const made: Made = { lines: [], ofLimits: [] };
  const lines = (tenant: string) => linesOf(policies.slice(0, 1), ask(tenant), () => null, START_US, made);
  const first = lines('a') as Made;
  const before = first.lines;
  expect((lines('b') as Made).lines).toBe(before);
});
