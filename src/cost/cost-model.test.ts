import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { inHouse } from '../../test/flow/empty-house.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { applyVersions, parseDocuments } from '../store/index.ts';
import { costModelSpec, modelsInForce } from './cost-model.ts';

const folder = tempFolder('cost-model');
afterAll(() => folder.remove());
let houses = 0;
const open = (work: Parameters<typeof inHouse>[1]) => inHouse(`${folder.path}/${houses++}`, work);

const head = `apiVersion: taximeter/v1
kind: CostModel
metadata: { name: shop }
spec:
  currency: USD
  pools:
`;
const rest = 'kind: direct, driver: calls';

/** The problems of a model with these pools, from line 7 on, as `line: message`. */
function problems(pools: string, top = head): string[] {
  const checked = parseDocuments(top + pools)[0]!.check(costModelSpec);
  return 'problems' in checked ? checked.problems.map(({ line, message }) => `${line}: ${message}`) : [];
}

describe.each<[string, string, string[]]>([
  ['a good model', `    - { id: a, ${rest}, match: { ServiceName: vm } }`, []],
  [
    'an unknown driver, and an unknown key two lines further',
    `    - { id: a, kind: direct, match: { X: y }, driver: cpu }\n    - id: b\n      matches: {}\n      kind: direct\n      driver: calls\n      match: { X: y }`,
    ['7: spec.pools.0.driver: Invalid option', '9: spec.pools.1.matches: Unrecognized key'],
  ],
  ['neither match nor fixed', `    - { id: a, ${rest} }`, ['7: spec.pools.0: must have one of match, fixed,']],
  [
    'both match and fixed',
    `    - { id: a, ${rest}, match: { X: y }, fixed: { amount: '1', per: day } }`,
    ['7: spec.pools.0: must have only one of match, fixed'],
  ],
  ['an empty match', `    - { id: a, ${rest}, match: {} }`, ['7: spec.pools.0.match: match must name a column']],
  ['a strange column', `    - { id: a, ${rest}, match: { 'a b': y } }`, ['7: spec.pools.0.match.a b: ']],
  [
    'money that is a number',
    `    - { id: a, ${rest}, fixed: { amount: 12.5, per: day } }`,
    ['7: spec.pools.0.fixed.amount: '],
  ],
  [
    'money that is too fine',
    `    - { id: a, ${rest}, fixed: { amount: '0.0000000000000000001', per: day } }`,
    ['7: spec.pools.0.fixed.amount: must be a decimal number in quotes'],
  ],
  [
    'money that is too large',
    `    - { id: a, ${rest}, fixed: { amount: '1000000000000000.1', per: day } }`,
    ['7: spec.pools.0.fixed.amount: must be a decimal number in quotes'],
  ],
  [
    'a name used twice, and a reserved one',
    `    - { id: a, ${rest}, match: { X: y } }\n    - { id: a, ${rest}, match: { X: y } }\n    - { id: out_of_scope, ${rest}, match: { X: y } }`,
    ['8: spec.pools.1.id: a is used twice', '9: spec.pools.2.id: is a reserved name'],
  ],
])('%s', (_name, pools, expected) => {
  test('is told with its line', () => {
    const told = problems(pools);
    expect(told).toHaveLength(expected.length);
    for (const [place, problem] of told.entries()) expect(problem).toContain(expected[place]);
  });
});

test('problems of the whole spec are told together', () => {
  const told = problems('    []', head.replace('USD', 'dollars').replace('pools:\n', 'basis: net\n  pools:\n'));
  expect(told.map((problem) => problem.split(': ', 2).join(': '))).toEqual([
    '5: spec.currency',
    '6: spec.basis',
    '7: spec.pools',
  ]);
});

const spec = (driver: string) => ({
  currency: 'USD',
  pools: [{ id: 'p', kind: 'direct', driver, match: { X: 'y' } }],
});
const day = (number: number) => Date.UTC(2024, 0, number);

test('without a model none is in force', () =>
  open(async ({ store }) => expect(await modelsInForce(store.documents)).toEqual([])));

test('of models that begin at the same time the one applied last is in force, whatever its name and version', () =>
  open(async ({ store }) => {
    const apply = (name: string, driver: string) => {
      const version = { kind: 'CostModel', name, effectiveFromMs: day(1), spec: spec(driver), reason: '' };
      return applyVersions(store.documents, [version], 'test', new Date());
    };
    await apply('first', 'calls');
    await apply('first', 'spans');
    await apply('second', 'busy_us');
    expect((await modelsInForce(store.documents)).map(({ id }) => id)).toEqual(['second@1']);
  }));

test('at any time the version with the latest effective date is in force, of equal dates the one applied last', () => {
  const version = fc.record({ name: fc.constantFrom('a', 'b'), from: fc.integer({ min: 1, max: 5 }) });
  const property = fc.asyncProperty(fc.array(version, { maxLength: 8 }), (applied) =>
    open(async ({ store }) => {
      const counts = new Map<string, number>();
      const all: { id: string; from: number }[] = [];
      for (const { name, from } of applied) {
        // A new driver each time: a version that says the same as the last one is none.
        const at = { kind: 'CostModel', name, effectiveFromMs: day(from), reason: String(all.length) };
        const body = { ...spec('calls'), pools: [{ ...spec('calls').pools[0], id: `p${all.length}` }] };
        await applyVersions(store.documents, [{ ...at, spec: body }], 'test', new Date());
        counts.set(name, (counts.get(name) ?? 0) + 1);
        all.push({ id: `${name}@${counts.get(name)}`, from });
      }
      const stretches = await modelsInForce(store.documents);
      for (let number = 0; number <= 6; number++) {
        const begun = all.filter(({ from }) => from <= number);
        const latest = Math.max(...begun.map(({ from }) => from));
        const expected = begun.filter(({ from }) => from === latest).at(-1)?.id;
        const found = stretches.filter(({ fromMs, toMs }) => fromMs <= day(number) && day(number) < toMs);
        expect(found.map(({ id }) => id)).toEqual(expected === undefined ? [] : [expected]);
      }
    }),
  );
  return fc.assert(property, { numRuns: 12, seed: 3 });
});
