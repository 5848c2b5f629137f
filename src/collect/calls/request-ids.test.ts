import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decidedOf, journalledSpans, RowsInForce, requestOf, type ToldSpan } from '../../../test/simulation/spans.ts';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { SpanKind } from '../../model/index.ts';
import { openStore, type Store } from '../../store/index.ts';
import { Collector } from '../collect.ts';
import { SpanIntake } from '../otlp/span-intake.ts';
import { decodeTracesJson } from '../otlp/traces-json.ts';
import { MOST_NAMING, requestAt } from './request-ids.ts';
import { bodyColumns, netBodies } from './stored-rows.ts';

const { SERVER, INTERNAL, CONSUMER } = SpanKind;
const id = 'f3a9c2d41b';

/** A call at the boundary; a job's root, which is none. */
const call = (trace: number, more: Partial<ToldSpan> = {}): ToldSpan => ({
  ...{
    trace,
    span: 1,
    kind: SERVER,
    service: 'front',
    from: 0,
    to: 100,
    tenant: `t${trace}`,
    route: '/a',
    request: id,
  },
  ...more,
});
const job = (trace: number, more: Partial<ToldSpan> = {}): ToldSpan => ({
  ...{ trace, span: 1, kind: INTERNAL, service: 'worker', from: 200, to: 300, request: id },
  ...more,
});
const none = { request: undefined };

/** Of each span whose work it is, as `trace.span -> trace.span`. */
const ownersOf = (rows: readonly { trace: number; span: number; call: string | null }[]) =>
  rows.map(({ trace, span, call }) => `${trace}.${span} -> ${call ?? 'nobody'}`).sort();

const stories: readonly (readonly [string, readonly ToldSpan[], readonly string[]])[] = [
  ['a job of a request', [call(1), job(2)], ['1.1 -> 1.1', '2.1 -> 1.1']],
  [
    'all of its trace',
    [call(1), job(2), job(2, { span: 2, parent: 1, ...none })],
    ['1.1 -> 1.1', '2.1 -> 1.1', '2.2 -> 1.1'],
  ],
  ['two jobs of it', [call(1), job(2), job(3)], ['1.1 -> 1.1', '2.1 -> 1.1', '3.1 -> 1.1']],
  ['a job of a request that two calls name', [call(1), call(3), job(2)], ['1.1 -> 1.1', '2.1 -> nobody', '3.1 -> 3.1']],
  ['a job of another request', [call(1), job(2, { request: 'another one' })], ['1.1 -> 1.1', '2.1 -> nobody']],
  [
    'a job whose roots name two requests',
    [call(1), job(2), job(2, { span: 2, request: 'another one' })],
    ['1.1 -> 1.1', '2.1 -> nobody', '2.2 -> nobody'],
  ],
  [
    'a job that a span below its root names',
    [call(1), job(2, none), job(2, { span: 2, parent: 1, kind: SERVER })],
    ['1.1 -> 1.1', '2.1 -> nobody', '2.2 -> nobody'],
  ],
  [
    'a trace with a call of its own',
    [call(1), call(2, { request: 'another one' }), job(2, { span: 2 })],
    ['1.1 -> 1.1', '2.1 -> 2.1', '2.2 -> 2.1'],
  ],
  [
    'a server below the call that names it',
    [call(1, none), call(1, { span: 2, parent: 1 }), job(2)],
    ['1.1 -> 1.1', '1.2 -> 1.1', '2.1 -> nobody'],
  ],
  [
    'an id of seven characters',
    [call(1, { request: '1234567' }), job(2, { request: '1234567' })],
    ['1.1 -> 1.1', '2.1 -> nobody'],
  ],
  [
    'a consumer with links, which count alone',
    [call(1), call(3, none), job(2, { kind: CONSUMER, links: [[3, 1]] })],
    ['1.1 -> 1.1', '2.1 -> 3.1', '3.1 -> 3.1'],
  ],
  [
    'a consumer that is linked to a job',
    [call(1), job(2), job(3, { kind: CONSUMER, links: [[2, 1]], ...none })],
    ['1.1 -> 1.1', '2.1 -> 1.1', '3.1 -> 1.1'],
  ],
  [
    'a parent that comes late and takes the call over',
    [call(1, { span: 2, parent: 1 }), job(2), call(1, none)],
    ['1.1 -> 1.1', '1.2 -> 1.1', '2.1 -> nobody'],
  ],
];

const isFront = (service: string) => service === 'front';

describe('in one batch', () => {
  it.each(stories)('%s', (_, spans, expected) => {
    const rows = new RowsInForce(isFront);
    rows.apply(journalledSpans(spans));
    expect(ownersOf(rows.decided())).toEqual(expected);
  });
});

const folder = tempFolder('request-ids');
let store: Store;
let collector: Collector;
const boundary = { kind: 'Boundary', name: 'b', version: 1, effective_from: '2000-01-01T00:00:00Z', reason: '' };

beforeAll(async () => {
  store = await openStore({ folder: folder.path });
  const body = JSON.stringify({ services: ['front'] });
  await store.documents
    .insertInto('document')
    .values({ ...boundary, body, fingerprint: 'f', applied_at: '2000-01-01T00:00:00Z', applied_by: 'test' })
    .execute();
  await open();
});
afterAll(async () => {
  await collector.close();
  await store.close();
  folder.remove();
});
async function open(): Promise<void> {
  const quiet = { loadEveryMs: 3_600_000, journalCapacityBytes: 2 ** 30, nowMs: Date.now };
  const warn = (message: string) => {
    throw new Error(message);
  };
  collector = await Collector.open({ ...quiet, store, folder: folder.path, warn });
}

async function load(spans: readonly ToldSpan[]): Promise<void> {
  await collector.traces(Buffer.from(JSON.stringify(requestOf(spans))), 'json');
  await collector.settle();
}

/** Traces and requests of its own for each telling, 10,000 numbers apart. */
let tellings = 0;
function toldAnew(spans: readonly ToldSpan[]): ToldSpan[] {
  const shift = ++tellings * 10_000;
  return spans.map((span) => ({
    ...span,
    trace: span.trace + shift,
    links: span.links?.map(([trace, linked]) => [trace + shift, linked] as const),
    request: span.request && `${span.request}${span.request.length > 7 ? shift : ''}`,
  }));
}

/** Whose work the spans of the last telling are, by the numbers of the story. */
async function stored(): Promise<string[]> {
  const shift = tellings * 10_000;
  const versions = await store.columns.queryBytes(`SELECT sign, ${bodyColumns.join(', ')} FROM work`);
  const rows = netBodies([versions]).map(decidedOf);
  const own = (call: string) => `${Number(call.split('.')[0]) - shift}.${call.split('.')[1]}`;
  return ownersOf(
    rows
      .filter(({ trace }) => trace > shift)
      .map((row) => ({ ...row, trace: row.trace - shift, call: row.call === null ? null : own(row.call) })),
  );
}

describe('in the store, span by span', () => {
  it.each(stories)('%s, in any order', async (_, spans, expected) => {
    for (const order of [spans, [...spans].reverse()]) {
      for (const span of toldAnew(order)) await load([span]);
      expect(await stored()).toEqual(expected);
    }
  });

  it('any order in any batches gives what one batch in memory gives', async () => {
    const other = 'another one';
    const spans = [
      ...[
        call(1),
        call(2, { request: other }),
        job(3),
        job(4, { request: other }),
        job(4, { span: 2, parent: 1, ...none }),
      ],
      ...[
        job(5, {
          kind: CONSUMER,
          links: [
            [3, 1],
            [2, 1],
          ],
          ...none,
        }),
        call(6, { span: 2, parent: 1, request: other }),
      ],
      ...[call(6, none), call(7, { span: 3, parent: 9 })],
    ];
    const arrivals = fc.array(fc.tuple(fc.nat(1_000), fc.nat(2)), { minLength: spans.length, maxLength: spans.length });
    const how = fc.record({ arrivals, left: fc.nat(spans.length - 1) });
    const property = fc.asyncProperty(how, async ({ arrivals, left }) => {
      const order = spans.map((_, place) => place).filter((place) => place !== left);
      order.sort((a, b) => arrivals[a]![0] - arrivals[b]![0]);
      const told = toldAnew(spans);
      for (const batch of [0, 1, 2]) {
        const arrived = order.filter((place) => arrivals[place]![1] === batch);
        if (arrived.length > 0) await load(arrived.map((place) => told[place]!));
      }
      const once = new RowsInForce(isFront);
      once.apply(journalledSpans(order.map((place) => spans[place]!)));
      expect(await stored()).toEqual(ownersOf(once.decided()));
    });
    await fc.assert(property, { numRuns: 15 });
  });

  it('after a restart the other half of a request is found', async () => {
    const [known, late] = toldAnew([job(2), call(1)]);
    await load([known!]);
    await collector.close();
    await open();
    await load([late!]);
    expect(await stored()).toEqual(['1.1 -> 1.1', '2.1 -> 1.1']);
  });

  it('an id that too many traces name joins nothing, whatever came first', async () => {
    const jobs = Array.from({ length: MOST_NAMING - 1 }, (_, place) => job(place + 2));
    const isJoined = async () => (await stored()).filter((owner) => owner.endsWith('-> 1.1')).length;
    const more = [job(5_000), job(5_001), call(5_002), job(3, { span: 9, parent: 1, ...none })];
    const told = toldAnew([call(1), ...jobs, ...more]);
    await load(told.slice(0, MOST_NAMING));
    expect(await isJoined()).toBe(MOST_NAMING);
    await load([told.at(-4)!]);
    expect(await isJoined()).toBe(1);
    await load(told.slice(-3));
    expect(await isJoined()).toBe(1);
    expect(await stored()).toContain('5001.1 -> nobody');
  });
});

it('an id is kept as a keyed hash, and only of roots and of what was served', () => {
  const intake = new SpanIntake();
  intake.begin(Buffer.alloc(0));
  const spans = [call(1), job(2), job(2, { span: 2, parent: 1 }), job(3, { kind: CONSUMER, links: [[9, 0]] })];
  decodeTracesJson(Buffer.from(JSON.stringify(requestOf(spans))), intake);
  expect([...intake.table.links.keys()]).toEqual([0, 1, 3]);
  expect([...intake.table.links.values()].map(requestAt)).toEqual([0, 0, 6]);
  expect(intake.payload().includes(id)).toBe(false);
});
