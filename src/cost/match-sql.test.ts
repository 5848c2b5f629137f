import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matches } from '../../test/flow/auditor/bills.ts';
import { openedHouse } from '../../test/flow/opened-house.ts';
import { billOf, type SmallCharge } from '../../test/flow/small-input.ts';
import { chargesInForce } from '../bill/index.ts';
import { costModelSpec } from './cost-model.ts';
import { poolOfCharge } from './match-sql.ts';

const { house } = await openedHouse('match');

type Match = Record<string, unknown>;

/** The place of the pool that takes each charge, as the engine says. */
async function places(matchers: readonly Match[], charges: readonly SmallCharge[]): Promise<number[]> {
  await house.importBills([billOf(charges)]);
  const pools = matchers.map((match, place) => ({ id: `p${place}`, kind: 'direct', driver: 'calls', match }));
  const { sql, params } = poolOfCharge(costModelSpec.parse({ currency: 'USD', pools }));
  const rows = await house.store.columns.query<{ pool: number }>(
    `SELECT ${sql} AS pool FROM charges WHERE ${await chargesInForce(house.store)} ORDER BY line`,
    params,
  );
  return rows.map((row) => row.pool);
}

const vm = { ServiceName: 'vm' };
const tagged = (team: string) => ({ ...vm, Tags: JSON.stringify({ team }) });

describe.each<[string, Match, SmallCharge[], number[]]>([
  ['a value', { ServiceName: 'vm' }, [vm, { ServiceName: 'VM' }, { ServiceName: 'vms' }], [0, -1, -1]],
  ['a list', { ServiceName: ['db', 'vm'] }, [vm, { ServiceName: 'x' }], [0, -1]],
  ['a glob', { ServiceName: 'v*m' }, [vm, { ServiceName: 'v-\n-m' }, { ServiceName: 'vmx' }], [0, 0, -1]],
  ['a star alone', { ServiceName: '*' }, [vm], [0]],
  ['a percent sign as itself', { ServiceName: '50%*' }, [{ ServiceName: '50% off' }, { ServiceName: '501' }], [0, -1]],
  ['an underscore as itself', { ServiceName: 'a_*' }, [{ ServiceName: 'a_b' }, { ServiceName: 'axb' }], [0, -1]],
  ['a backslash as itself', { ServiceName: 'a\\*' }, [{ ServiceName: 'a\\n' }, { ServiceName: 'an' }], [0, -1]],
  ['quotes as themselves', { ServiceName: `it's "*` }, [{ ServiceName: `it's "x"` }], [0]],
  ['not', { ServiceName: { not: ['vm', 'd*'] } }, [vm, { ServiceName: 'db' }, { ServiceName: 'x' }], [-1, -1, 0]],
  ['not, of an absent column', { RegionId: { not: 'x' } }, [vm], [-1]],
  ['an absent tag, not or not', { 'Tags.team': { not: 'red' } }, [vm, tagged('blue'), tagged('red')], [-1, 0, -1]],
  ['all of several columns', { ServiceName: 'vm', 'Tags.team': 'r*' }, [vm, tagged('red')], [-1, 0]],
])('%s', (_name, match, charges, expected) => {
  test('decides which charges a pool takes', async () => expect(await places([match], charges)).toEqual(expected));
});

test('the first pool that matches takes the charge', async () => {
  expect(await places([{ ServiceName: 'db' }, { ServiceName: 'v*' }, { ServiceName: 'vm' }], [vm])).toEqual([1]);
});

test('a model of fixed amounts only takes no charge', () => {
  const fixed = { amount: '1', per: 'day' };
  const pools = [{ id: 'p', kind: 'direct', driver: 'calls', fixed }];
  expect(poolOfCharge(costModelSpec.parse({ currency: 'USD', pools }))).toEqual({ sql: 'toInt32(-1)', params: {} });
});

test('the engine takes what a plain matcher takes, whatever the characters', async () => {
  const pieces = ['a', 'b', '%', '_', '\\', "'", '"', 'é', '{', '\n', '\t', '?', '.', '[a]', '\u{1f680}'];
  const word = (letters: readonly string[]) =>
    fc.array(fc.constantFrom(...letters), { maxLength: 4 }).map((all) => `<${all.join('')}>`);
  const glob = word([...pieces, '*', '*']);
  const condition = fc.oneof(glob, fc.array(glob, { minLength: 1, maxLength: 3 }), fc.record({ not: glob }));
  const match = fc
    .record({ ServiceName: condition, 'Tags.t': condition }, { requiredKeys: [] })
    .filter((each) => Object.keys(each).length > 0);
  const charge = fc
    .record({ ServiceName: word(pieces), t: fc.option(word(pieces), { nil: undefined }) })
    .map(({ ServiceName, t }) => ({ ServiceName, Tags: t === undefined ? '' : JSON.stringify({ t }) }));
  const property = fc.asyncProperty(
    fc.array(match, { minLength: 1, maxLength: 4 }),
    fc.array(charge, { minLength: 1, maxLength: 15 }),
    async (matchers, charges) => {
      const expected = charges.map((each) => matchers.findIndex((all) => matches(all, each)));
      expect(await places(matchers, charges)).toEqual(expected);
    },
  );
  await fc.assert(property, { numRuns: 25, seed: 7 });
});
