import fc from 'fast-check';
import { expect, it } from 'vitest';
import { askBody, plainAsk } from './limit-asks.ts';

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, '', 'a', 'a\nb', '\ud800', 'x'.repeat(513), 'x'.repeat(512), -1, 0, -0, 0.5, 1, 2 ** 52, 2 ** 53),
  fc.constantFrom<unknown>(true, false, [], {}, 1e300),
);
const name = fc.oneof({ weight: 9, arbitrary: fc.constantFrom('a', 'ä "b"', 'GET /v1/things/{id}') }, odd);
const asks = fc.record(
  { tenant: name, organisation: name, consumer: name, endpoint: name, cost: odd, peek: fc.oneof(fc.boolean(), odd) },
  { requiredKeys: [] },
);

it('reads of plain asks what the schema reads, and leaves everything else to it', () => {
  let plain = 0;
  fc.assert(
    fc.property(fc.oneof(asks, fc.record({ tenant: name, atLeast: odd, money: odd, extra: odd }, { requiredKeys: ['tenant'] }), odd), (value) => {
      // As it comes from the network.
      const body: unknown = JSON.parse(JSON.stringify(value) ?? 'null');
      const read = plainAsk(body);
      if (read === null) return;
      plain++;
      const judged = askBody.safeParse(body);
      expect(judged.success).toBe(true);
      expect(JSON.stringify(read, Object.keys(read).sort())).toBe(JSON.stringify(judged.data, Object.keys(read).sort()));
    }),
    { numRuns: 2_000 },
  );
  expect(plain).toBeGreaterThan(50);
});

it.each([
  ['{"tenant":"a"}', true],
  ['{"tenant":"a","cost":3,"peek":true,"organisation":"o","consumer":"c","endpoint":"GET /"}', true],
  ['{"tenant":"a","__proto__":{}}', false],
  ['{"tenant":"a","money":{"amount":"1","currency":"USD"}}', false],
  ['{"asks":[{"tenant":"a"}]}', false],
  ['[{"tenant":"a"}]', false],
])('%s is plain: %s', (text, isPlain) => {
  expect(plainAsk(JSON.parse(text)) !== null).toBe(isPlain);
});
