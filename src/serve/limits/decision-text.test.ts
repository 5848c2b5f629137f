import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ask, Clock, hold, limiterOf, policy } from '../../../test/conformance/limits/world.ts';
import { MemoryStore } from '../../limit/index.ts';
import { decisionText } from './decision-text.ts';
import { shownDecision } from './limit-answer.ts';

const override =
  'overrides: [{ match: { tenants: [b] }, limits: { day: 2 }, until: 2099-01-01, reason: "said: \\"more\\"" }]';
const yaml = [
  policy('o', 'per: [organisation, endpoint]', 'id: day, amount: 6, warnAt: [50], window: { rolling: 24h, parts: 24 }'),
  policy('t', `per: [tenant]\n  ${override}`, 'id: day, amount: 4, window: { calendar: day }'),
  policy('c', 'per: [tenant, consumer]\n  mode: shadow', 'id: r, amount: 2, rate: { per: 1s, burst: 3 }'),
  policy('m', 'match: { tenants: [c] }', 'id: m, amount: "0.05", money: { currency: USD }, window: { fixed: 60s }'),
  policy('f', 'per: []', 'id: soft, amount: 30, overdraft: { percent: 50 }, window: { fixed: 1h }'),
  policy('n', 'per: [consumer]', 'id: flight, amount: 3, concurrency: true'),
].join('---\n');

const name = fc.oneof(
  fc.constantFrom('', 'x', 'ann "the" best', 'back\\slash', '\u{1f600}', 'ä'),
  fc.string({ maxLength: 5 }),
);
const one = fc.record({
  tenant: fc.constantFrom('a', 'b', 'c', 'q"uote'),
  more: fc.record({ consumer: name, endpoint: name, organisation: name }),
  units: fc.constantFrom(0, 1, 1, 2, 50),
  least: fc.constantFrom(0, 1),
  id: fc.constantFrom(null, 'one', 'two'),
  fingerprint: fc.constantFrom('', '', 'other'),
  pauseUs: fc.integer({ min: 0, max: 90_000_000 }),
});

it('writes what the shown decision is as JSON, character by character', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 25 }), async (asks) => {
      const clock = new Clock();
      const store = new MemoryStore({ nowUs: clock.nowUs, mostKeys: 100_000, mostHeld: 1_000 });
      const rated = () => ({ amountAtto: 12_345_678_900_000_000n, currency: 'USD' }) as never;
      const limiter = limiterOf(store, clock, yaml, rated);
      for (const { tenant, more, units, least, id, fingerprint, pauseUs } of asks) {
        clock.us += pauseUs;
        const decision = await limiter.decide(
          ask(tenant, units, { ...more, least, ...(id === null ? {} : hold(id, 60, fingerprint)) }),
        );
        expect(decisionText(decision)).toBe(JSON.stringify(shownDecision(decision)));
      }
    }),
    { numRuns: 60 },
  );
});

it('writes a decision without any limit', async () => {
  const clock = new Clock();
  const store = new MemoryStore({ nowUs: clock.nowUs, mostKeys: 10, mostHeld: 10 });
  const money = policy('m', 'per: [tenant]', 'id: m, amount: "1", money: { currency: USD }, window: { fixed: 60s }');
  const unknown = await limiterOf(store, clock, money).decide(ask('a'));
  expect(unknown.reason).toBe('cost_unknown');
  expect(decisionText(unknown)).toBe(JSON.stringify(shownDecision(unknown)));
});
