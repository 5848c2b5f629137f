import fc from 'fast-check';
import { expect, it } from 'vitest';
import { payloadOf, type ToldSpan, toldSpans } from '../../../test/simulation/spans.ts';
import { openedStore } from '../../../test/support/opened-store.ts';
import { Block } from '../../store/index.ts';
import { Journal } from '../journal/journal.ts';
import { SegmentKind } from '../journal/segment.ts';
import { countStored } from './count-stored.ts';
import { ExactSums } from './exact-sums.ts';
import { groupRows } from './group-rows.ts';
import { Loader } from './load.ts';
import { minuteSums } from './minute-columns.ts';

const { store, folder } = await openedStore('minutes');
const shared = {
  segmentRows: 100_000,
  segmentBytes: 1 << 24,
  capacityBytes: 1 << 26,
  nowMs: () => Date.UTC(2025, 0, 1),
};
let lastId = 0;
const nextId = () => ++lastId;

async function load(batches: readonly (readonly ToldSpan[])[]): Promise<void> {
  const place = { folder: `${folder.path}/journal-${nextId()}`, kind: SegmentKind.work };
  const journal = await Journal.open({ ...shared, ...place, nextId });
  const { columns } = store;
  const loader = new Loader({ columns, scratch: `${folder.path}/scratch`, ...shared, nextId, warn: () => undefined });
  await loader.start(() => true);
  for (const spans of batches) {
    await journal.append(payloadOf(spans), spans.length);
    await journal.seal();
    await loader.loadSealed(journal);
  }
}

const minutes = () =>
  store.columns.query<Record<string, unknown>>(
    'SELECT * FROM usage_minute ORDER BY marker, minute, tenant, endpoint, consumer, calls',
  );

/** Calls that are sampled, sized, large, long, wrong, and some whose tenant only a later span tells. */
const sampled = fc.record({
  th: fc.constantFrom(undefined, '8', 'c', 'fffffffff', '5555'),
  to: fc.constantFrom(0, 7, 60_000_001, 3_600_000_000 * 24 * 80),
  from: fc.constantFrom(0, 59_999_999, 60_000_000, 3_599_999_999),
  attributes: fc.record(
    {
      'http.request.size': fc.constantFrom(0, 1, 9_007_199_254_740_991),
      'http.response.size': fc.nat(),
      'enduser.id': fc.constantFrom('ann', 'bob'),
      'http.response.status_code': fc.constantFrom(200, 503),
    },
    { requiredKeys: [] },
  ),
});

it('counting what is at hand gives what the engine counts from the stored rows', async () => {
  const story = fc.tuple(
    toldSpans({ traces: 6, spans: 40 }),
    fc.array(sampled, { minLength: 40, maxLength: 40 }),
    fc.nat({ max: 20 }),
  );
  await fc.assert(
    fc.asyncProperty(story, async ([spans, more, cut]) => {
      for (const table of ['work', 'links', 'usage_minute']) await store.columns.command(`TRUNCATE TABLE ${table}`);
      const told = spans.map((span, at) => {
        const { th, attributes, from, to } = more[at % more.length]!;
        return { ...span, ...(at % 2 === 0 ? { from, to: from + to } : {}), th, attributes };
      });
      await load([told.slice(0, cut), told.slice(cut)].filter(({ length }) => length > 0));
      const counted = await minutes();
      await store.columns.command('TRUNCATE TABLE usage_minute');
      await countStored(store.columns);
      expect(nonZero(counted)).toEqual(nonZero(await minutes()));
    }),
    { numRuns: 25 },
  );
});

/** The engine leaves out rows of which nothing is left when it merges. */
const nonZero = (rows: Record<string, unknown>[]) =>
  rows.filter((row) => minuteSums.some(({ column }) => row[column] !== '0'));

it('rows are in one group exactly when all of their values are the same', () => {
  const rows = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.constantFrom(0, 1, 2 ** 32 - 1)), { maxLength: 3_000 });
  fc.assert(
    fc.property(rows, (values) => {
      const columns = [0, 1].map((column) => Uint32Array.from(values, (row) => row[column]!));
      const { of, first } = groupRows(columns, values.length);
      const numbers = new Map<string, number>();
      const expected = values.map((row) => {
        const key = row.join();
        if (!numbers.has(key)) numbers.set(key, numbers.size);
        return numbers.get(key);
      });
      expect([...of]).toEqual(expected);
      expect([...first]).toEqual([...numbers.values()].map((number) => expected.indexOf(number)));
    }),
  );
});

it('many different rows are as many groups', () => {
  const column = Uint32Array.from({ length: 50_000 }, (_, row) => Math.imul(row, 0x10001));
  expect(groupRows([column, new Uint32Array(50_000)], 50_000).first.length).toBe(50_000);
});

it('sums are exact, in one block with what fits a double', async () => {
  await store.columns.command('CREATE TABLE sums (place Int64, sum Int128) ENGINE = MergeTree ORDER BY place');
  const large = Number.MAX_SAFE_INTEGER;
  const parts = fc.oneof(fc.integer(), fc.constantFrom(large, -large, 2n ** 70n, -(2n ** 100n)));
  const added = fc.array(fc.tuple(fc.nat({ max: 4 }), parts), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(added, async (values) => {
      const sums = new ExactSums(5);
      const exact = [0n, 0n, 0n, 0n, 0n];
      for (const [group, value] of values) {
        sums.add(group, value);
        exact[group]! += BigInt(value);
      }
      const block = new Block(5);
      block.fixed('place', 'Int64', BigInt64Array.of(0n, 1n, 2n, 3n, 4n));
      sums.addTo(block, 'sum');
      await store.columns.command('TRUNCATE TABLE sums');
      await store.columns.insertBlock('sums', block, 'sums');
      const stored = await store.columns.query<{ sum: string }>('SELECT toString(sum) AS sum FROM sums ORDER BY place');
      expect(stored.map(({ sum }) => BigInt(sum))).toEqual(exact);
      expect(exact.map((_, group) => sums.of(group))).toEqual(exact);
    }),
    { numRuns: 40 },
  );
});
