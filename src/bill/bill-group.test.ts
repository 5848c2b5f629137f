import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BillGroups } from './bill-group.ts';
import { noTags, type Tags, tagsOf } from './cell.ts';
import { type Charge, ChargeWriter } from './charge.ts';

const START = Date.UTC(2024, 8, 1);

function charge(otherwise: Partial<Charge> = {}): Charge {
  const billing = {
    billingStartMs: START,
    billingEndMs: START + 86_400_000,
    chargeStartMs: START,
    chargeEndMs: START + 3_600_000,
  };
  const amounts = { billedAtto: 1n, effectiveAtto: 1n, listAtto: 1n, contractedAtto: 1n };
  return {
    source: 'AWS',
    account: 'a',
    currency: 'USD',
    ...billing,
    ...amounts,
    cells: [],
    tags: noTags,
    ...otherwise,
  };
}

function groupsOf(charges: readonly Charge[]) {
  const groups = new BillGroups();
  const writer = new ChargeWriter();
  for (const each of charges) groups.add(each, writer.write(each).bytes);
  return groups.finish();
}

function tags(env: string): Tags {
  return tagsOf([['env', env]]);
}

const anyCharge = fc
  .record({
    source: fc.constantFrom('AWS', 'GCP', 'A","b'),
    account: fc.constantFrom('a', 'b', 'b"'),
    currency: fc.constantFrom('USD', 'EUR'),
    billedAtto: fc.bigInt(-(10n ** 33n), 10n ** 33n),
    effectiveAtto: fc.bigInt(-(10n ** 33n), 10n ** 33n),
    tags: fc.constantFrom(noTags, tags('prod'), tags('dev')),
  })
  .map(charge);

test('the order of rows makes no difference', () => {
  const shuffled = fc
    .array(anyCharge, { minLength: 1, maxLength: 40 })
    .chain((charges) => fc.tuple(fc.constant(charges), fc.shuffledSubarray(charges, { minLength: charges.length })));
  fc.assert(
    fc.property(shuffled, ([charges, other]) => {
      expect(groupsOf(other)).toEqual(groupsOf(charges));
    }),
  );
});

test('sums are exact, and no row is lost between groups', () => {
  const sum = (amounts: readonly bigint[]) => amounts.reduce((a, b) => a + b, 0n);
  fc.assert(
    fc.property(fc.array(anyCharge, { maxLength: 40 }), (charges) => {
      const groups = groupsOf(charges);
      expect(sum(groups.map((group) => group.billedAtto))).toBe(sum(charges.map((each) => each.billedAtto)));
      expect(sum(groups.map((group) => group.effectiveAtto))).toBe(sum(charges.map((each) => each.effectiveAtto)));
      expect(groups.reduce((rows, group) => rows + group.rows, 0)).toBe(charges.length);
    }),
  );
});

test('a fingerprint differs as soon as one row does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt(0n, 3n), { maxLength: 6 }),
      fc.array(fc.bigInt(0n, 3n), { maxLength: 6 }),
      (a, b) => {
        const print = (amounts: bigint[]) =>
          groupsOf(amounts.map((billedAtto) => charge({ billedAtto })))[0]?.fingerprint;
        const isSame = JSON.stringify(a.map(String).sort()) === JSON.stringify(b.map(String).sort());
        expect(print(a) === print(b)).toBe(isSame);
      },
    ),
  );
});

test('names that only look alike when joined are different groups', () => {
  expect(groupsOf([charge({ source: 'a-b', account: 'c' }), charge({ source: 'a', account: 'b-c' })])).toHaveLength(2);
});

test('a row whose billing period ends at another time than its group is not added', () => {
  const groups = new BillGroups();
  const content = new Uint8Array(1);
  expect(groups.add(charge(), content)).not.toBeNull();
  expect(groups.add(charge({ billingEndMs: START + 1000 }), content)).toBeNull();
  expect(groups.finish()[0]!.rows).toBe(1);
});
