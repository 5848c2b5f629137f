import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { importBill } from '../../src/bill/index.ts';
import { postAllocation } from '../../src/ledger/index.ts';
import { parseRange } from '../../src/model/index.ts';
import { type Api, createApi } from '../../src/serve/index.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { AUGUST, billOf, callRequest, modelOf } from './small-input.ts';

/** A cost model is changed: what would change, who did it and why, and what is in force as a page. */

let opened: ListeningHouse;
let api: Api;
beforeAll(async () => {
  opened = await openListeningHouse(1 << 20, '', () => new Date('2022-08-20T00:00:00Z'));
  api = createApi(opened.house, { pages: '' });
});
afterAll(() => opened.close());

async function ask<Answer>(method: string, path: string, body?: string): Promise<Answer> {
  const answer = await api(new Request(`http://localhost${path}`, { method, ...(body === undefined ? {} : { body }) }));
  return (await answer.json()) as Answer;
}

const apply = <Answer>(yaml: string, query = '') => ask<Answer>('POST', `/api/v1/documents?by=ada${query}`, yaml);

beforeAll(async () => {
  const { collector } = opened.house;
  for (const call of [
    { id: 1, tenant: 'acme', durationMs: 30 },
    { id: 2, tenant: 'zeta', durationMs: 10 },
  ])
    await collector.traces(Buffer.from(callRequest(call)), 'json');
  await collector.settle();
  const path = join(opened.house.folder, 'bill.csv');
  writeFileSync(path, billOf([{}, { ServiceName: 'tool', EffectiveCost: '6' }]));
  const now = new Date('2022-08-20T00:00:00Z');
  await importBill(opened.house.store, [{ name: 'bill.csv', path }], { format: 'focus', replace: false, now });
  await apply(modelOf(), '&why=first+try');
  await postAllocation(opened.house.store, parseRange(AUGUST.from, AUGUST.to), new Date());
});

interface DryRun {
  readonly notes: string[];
  readonly difference: {
    slices: number;
    changed: number;
    rows: { account: string; tenant: string; difference: string }[];
  };
  readonly errors: { message: string; line: number }[];
}

const vm = { id: 'vm', match: { ServiceName: 'vm' } };
const differences = ({ difference }: DryRun) =>
  difference.rows.map(
    ({ account, tenant, difference: money }) => `${tenant || account} ${money.replace(/\.?0+$/, '')}`,
  );

describe.each<[string, Record<string, unknown>[], { changed: number; rows: string[] }]>([
  ['the same again', [vm], { changed: 0, rows: [] }],
  ['another driver', [{ ...vm, driver: 'busy_us' }], { changed: 1, rows: ['acme 0.25', 'zeta -0.25'] }],
  [
    'a pool that takes what nobody took',
    [vm, { id: 'tools', match: { ServiceName: 'tool' } }],
    { changed: 2, rows: ['out_of_scope -6', 'acme 3', 'zeta 3'] },
  ],
  [
    'a pool that is gone',
    [{ ...vm, match: { ServiceName: 'other' } }],
    { changed: 2, rows: ['out_of_scope 1', 'acme -0.5', 'zeta -0.5'] },
  ],
])('a dry run of %s', (_, pools, { changed, rows }) => {
  test('says what would change by tenant, and changes nothing', async () => {
    const told = await apply<DryRun>(modelOf(pools), '&dryRun=true');
    expect(told.difference.changed).toBe(changed);
    expect(differences(told)).toEqual(rows);
    expect(await apply<DryRun>(modelOf(pools), '&dryRun=true')).toEqual(told);
  });
});

test('what would never take a charge is told, also in a dry run', async () => {
  const told = await apply<DryRun>(modelOf([{ id: 'all', match: { ServiceName: '*' } }, vm]), '&dryRun=true');
  expect(told.notes).toEqual(['CostModel small, pool vm: never takes a charge: all, before it, takes all of them']);
});

test('a meter that is not there is told with its line', async () => {
  const told = await apply<DryRun>(modelOf([{ id: 'ci', metered: { meter: 'none', price: '1' } }]));
  expect(told.errors).toEqual([expect.objectContaining({ message: 'spec.pools.0: there is no meter none', line: 9 })]);
});

test('the trail says who did what and why, the newest first', async () => {
  const { entries } = await ask<{ entries: { by: string; action: string; what: string; why: string }[] }>(
    'GET',
    '/api/v1/audit',
  );
  expect(entries.map(({ by, action, what, why }) => [by, action, what, why].join(' | '))).toEqual([
    expect.stringContaining('| import | AWS acct 2022-08: 2 rows'),
    'ada | apply | CostModel small@1 | first try',
  ]);
});

test.each(['text', 'markdown', 'html'])('the model in force is a page of %s', async (format) => {
  const { page } = await ask<{ page: string }>('GET', `/api/v1/model?format=${format}&at=2022-08-02`);
  const plain = page.replace(/&#34;/g, '"').replaceAll('\\', '');
  for (const said of ['Cost model small@1', 'charges where ServiceName is "vm"', 'by calls', 'ada', 'first try'])
    expect(plain).toContain(said);
});

test('before the first model there is no page', async () => {
  expect(await ask('GET', '/api/v1/model?at=2022-07-01')).toMatchObject({ code: 'NOT_FOUND' });
});
