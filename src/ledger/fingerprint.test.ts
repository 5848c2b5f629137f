import { expect, test } from 'vitest';
import { accountNumbers, emptyShares, type Slice, type SliceShares } from '../cost/index.ts';
import { Texts } from '../store/index.ts';
import { fingerprintOf } from './fingerprint.ts';

const slice: Slice = {
  ...{ source: 'AWS', account: 'a', currency: 'USD', billingStartMs: 0, billingEndMs: 1000, chargeStartMs: 0 },
  ...{ chargeEndMs: 1000, poolId: 'vm', kind: 'direct', driver: 'calls', model: 'shop@1', pool: null, amountAtto: 3n },
};

/** Two shares: of acme and of unattributed work. */
function shares({
  numbered = [] as string[],
  tenant = 'acme',
  endpoint = '/a',
  weight = 2n,
  amount = 2n,
} = {}): SliceShares {
  const texts = new Texts();
  for (const text of numbered) texts.idOfString(text);
  const two = emptyShares(texts, 2);
  two.accounts.set([accountNumbers.tenant, accountNumbers.unattributed]);
  two.tenants[0] = texts.idOfString(tenant);
  two.endpoints[0] = texts.idOfString(endpoint);
  two.weights.set(0, weight);
  two.amounts.set(0, amount);
  two.amounts.set(1, 1n);
  return two;
}

const print = (of: SliceShares, head = slice) => fingerprintOf(head, of).toString('hex');

test('equal shares have equal fingerprints, whatever their texts are numbered', () => {
  expect(print(shares({ numbered: ['zeta', '/a', '/b', 'acme'] }))).toBe(print(shares()));
});

test.each<[string, SliceShares, Slice]>([
  ['a tenant', shares({ tenant: 'zeta' }), slice],
  ['where one text ends and the next begins', shares({ tenant: 'acme/', endpoint: 'a' }), slice],
  ['a weight', shares({ weight: 3n }), slice],
  ['an amount', shares({ amount: 3n }), slice],
  ['the model', shares(), { ...slice, model: 'shop@2' }],
  ['the driver', shares(), { ...slice, driver: 'spans' }],
])('%s counts', (_what, of, head) => {
  expect(print(of, head)).not.toBe(print(shares()));
});

test('the account counts', () => {
  const idle = shares();
  idle.accounts[1] = accountNumbers.idle;
  expect(print(idle)).not.toBe(print(shares()));
});
