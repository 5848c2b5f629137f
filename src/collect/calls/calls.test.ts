import { describe, expect, it } from 'vitest';
import { type Decided, journalledSpans, RowsInForce, type ToldSpan } from '../../../test/simulation/spans.ts';
import { SpanKind } from '../../model/index.ts';

const { SERVER, CLIENT, INTERNAL, CONSUMER, PRODUCER } = SpanKind;

/** A span of trace 1 from 0 to 100 at the front, unless it says otherwise. */
const span = (id: number, more: Partial<ToldSpan> = {}): ToldSpan => ({
  ...{ trace: 1, span: id, kind: INTERNAL, service: 'front', from: 0, to: 100 },
  ...more,
});

function decided(spans: readonly ToldSpan[], boundary: readonly string[] = ['front', 'queue']): Decided[] {
  const rows = new RowsInForce((service) => boundary.includes(service));
  rows.apply(journalledSpans(spans));
  const all = rows.decided();
  return all.sort((a, b) => a.trace - b.trace || a.span - b.span || a.kind - b.kind || b.share - a.share);
}

/** Whose call each span belongs to, `trace.span -> trace.span`; a call is marked. */
const owners = (spans: readonly ToldSpan[], boundary?: readonly string[]) =>
  decided(spans, boundary).map(
    (row) => `${row.trace}.${row.span} -> ${row.call ?? 'nobody'}${row.isCall ? ' (call)' : ''}`,
  );

describe('which spans are calls, and whose work the others are', () => {
  it.each<readonly [string, readonly ToldSpan[], readonly string[]]>([
    ['a server at the boundary', [span(1, { kind: SERVER })], ['1.1 -> 1.1 (call)']],
    ['a server behind the boundary', [span(1, { kind: SERVER, service: 'back' })], ['1.1 -> nobody']],
    ['a client', [span(1, { kind: CLIENT })], ['1.1 -> nobody']],
    [
      'a server below a server',
      [span(1, { kind: SERVER }), span(2, { kind: SERVER, parent: 1 })],
      ['1.1 -> 1.1 (call)', '1.2 -> 1.1'],
    ],
    [
      'a server below one that is not at the boundary',
      [span(1, { kind: SERVER, service: 'back' }), span(2, { kind: SERVER, parent: 1 })],
      ['1.1 -> 1.2', '1.2 -> 1.2 (call)'],
    ],
    [
      'a server whose parent was never received',
      [span(2, { kind: SERVER, parent: 9 }), span(3, { parent: 2 })],
      ['1.2 -> 1.2 (call)', '1.3 -> 1.2'],
    ],
    [
      'a stray span of a trace with one call',
      [span(1, { kind: SERVER }), span(5, { parent: 9 })],
      ['1.1 -> 1.1 (call)', '1.5 -> 1.1'],
    ],
    [
      'a stray span of a trace with two calls',
      [span(1, { kind: SERVER }), span(2, { kind: SERVER, parent: 9 }), span(5, { parent: 9 })],
      ['1.1 -> 1.1 (call)', '1.2 -> 1.2 (call)', '1.5 -> nobody'],
    ],
    [
      'a consumer with a parent, whatever its links',
      [span(1, { kind: CONSUMER, parent: 9, links: [[2, 1]] })],
      ['1.1 -> 1.1 (call)'],
    ],
    ['a consumer without links', [span(1, { kind: CONSUMER })], ['1.1 -> 1.1 (call)']],
    ['a consumer with a link that leads nowhere', [span(1, { kind: CONSUMER, links: [[2, 1]] })], ['1.1 -> nobody']],
    [
      'a server below a linked consumer',
      [
        span(1, { trace: 2, kind: SERVER }),
        span(1, { kind: CONSUMER, links: [[2, 1]] }),
        span(2, { kind: SERVER, parent: 1 }),
      ],
      ['1.1 -> 2.1', '1.2 -> 2.1', '2.1 -> 2.1 (call)'],
    ],
    [
      'client and server under one id',
      [
        span(1, { kind: SERVER, service: 'back', parent: 9 }),
        span(1, { kind: CLIENT, parent: 9 }),
        span(2, { parent: 1 }),
      ],
      ['1.1 -> nobody', '1.1 -> nobody', '1.2 -> nobody'],
    ],
    [
      'parents that lead round in a circle',
      [span(1, { kind: SERVER, parent: 2 }), span(2, { parent: 1 })],
      ['1.1 -> 1.1 (call)', '1.2 -> 1.1'],
    ],
    ['a span that is its own parent', [span(1, { kind: SERVER, parent: 1 })], ['1.1 -> 1.1 (call)']],
    [
      'links that lead round in a circle',
      [span(1, { kind: CONSUMER, links: [[2, 1]] }), span(1, { trace: 2, kind: CONSUMER, links: [[1, 1]] })],
      ['1.1 -> nobody', '2.1 -> nobody'],
    ],
  ])('%s', (_, spans, expected) => {
    expect(owners(spans)).toEqual(expected);
  });

  it('work over links is split evenly, the left-over to the smallest links, what leads nowhere together', () => {
    const calls = [3, 2].map((trace) => span(1, { trace, kind: SERVER }));
    const links = [
      [9, 1],
      [3, 1],
      [2, 1],
      [8, 7],
      [2, 1],
    ] as const;
    const rows = decided([...calls, span(1, { kind: CONSUMER, links, th: 'aaab' })]).filter(({ trace }) => trace === 1);
    const shares = Object.fromEntries(rows.map(({ call, share }) => [String(call), share]));
    expect(shares).toEqual({ '2.1': 1_000_016, '3.1': 1_000_015, null: 1_000_015 });
  });
});

describe('the tenant and endpoint of a call', () => {
  const tenantOf = (spans: readonly ToldSpan[]) => {
    const [call] = decided(spans).filter(({ isCall }) => isCall);
    return [call!.tenant, call!.resolver];
  };
  const root = (more: Partial<ToldSpan> = {}) => span(1, { kind: SERVER, ...more });

  it.each<readonly [string, readonly ToldSpan[], readonly string[]]>([
    [
      'its own attribute first',
      [root({ tenant: 'a', resourceTenant: 'b' }), span(2, { parent: 1, tenant: 'c' })],
      ['a', 'span:tenant.id'],
    ],
    [
      'then its resource',
      [root({ resourceTenant: 'b' }), span(2, { parent: 1, tenant: 'c' })],
      ['b', 'resource:tenant.id'],
    ],
    [
      'then the earliest descendant',
      [root(), span(2, { parent: 1, tenant: 'c', from: 9 }), span(3, { parent: 2, tenant: 'd', from: 8 })],
      ['d', 'descendant:tenant.id'],
    ],
    ['never a span that is not below it', [root(), span(5, { parent: 9, tenant: 'e' })], ['(unknown)', '']],
    ['nobody', [root()], ['(unknown)', '']],
  ])('%s', (_, spans, expected) => {
    expect(tenantOf(spans)).toEqual(expected);
  });

  it('all work of a call has its tenant and endpoint; work of nobody has none', () => {
    const rows = decided([
      root({ tenant: 'a', route: '/x' }),
      span(2, { parent: 1, tenant: 'b' }),
      span(1, { trace: 2 }),
    ]);
    expect(rows.map(({ tenant, endpoint }) => [tenant, endpoint])).toEqual([
      ['a', 'GET /x'],
      ['a', 'GET /x'],
      ['', ''],
    ]);
  });
});

describe('what a span measures', () => {
  const measured = (spans: readonly ToldSpan[], id: number) => {
    const { busyUs, dbUs, extUs } = decided(spans).find((row) => row.span === id)!;
    return { busyUs, dbUs, extUs };
  };
  const below = (id: number, from: number, to: number, more: Partial<ToldSpan> = {}) =>
    span(id, { parent: 1, from, to, ...more });

  it.each<readonly [string, readonly ToldSpan[], number, object]>([
    ['a server without children', [span(1, { kind: SERVER })], 1, { busyUs: 100 }],
    [
      'a server while its children wait',
      [span(1, { kind: SERVER }), below(2, 10, 60, { kind: CLIENT })],
      1,
      { busyUs: 50 },
    ],
    [
      'children of another service and kind count',
      [span(1), below(2, 90, 300, { service: 'back', kind: SERVER })],
      1,
      { busyUs: 90 },
    ],
    ['a producer', [span(1, { kind: PRODUCER })], 1, { busyUs: 100 }],
    ['an end before its start', [span(1, { kind: SERVER, to: -5 })], 1, { busyUs: 0 }],
    ['a client that waits for nobody we know', [span(1, { kind: CLIENT })], 1, { busyUs: 0, extUs: 100, dbUs: 0 }],
    [
      'a client whose server we see',
      [span(1, { kind: CLIENT }), below(2, 5, 9, { service: 'back', kind: SERVER })],
      1,
      { extUs: 0 },
    ],
    ['a client with a child of its own service', [span(1, { kind: CLIENT }), below(2, 5, 9)], 1, { extUs: 100 }],
    [
      'a database client',
      [span(1, { kind: CLIENT, attributes: { 'db.system': 'pg' } })],
      1,
      { busyUs: 0, dbUs: 100, extUs: 0 },
    ],
  ])('%s', (_, spans, id, expected) => {
    expect(measured(spans, id)).toMatchObject(expected);
  });
});

describe('tokens that a span repeats from those below it', () => {
  const tokens = (id: number, parent: number | undefined, used: Record<string, number>) =>
    span(id, {
      parent,
      attributes: Object.fromEntries(Object.entries(used).map(([key, n]) => [`gen_ai.usage.${key}`, n])),
    });

  it.each<readonly [string, readonly ToldSpan[], readonly number[]]>([
    ['a model call alone', [tokens(1, undefined, { input_tokens: 5 })], [0]],
    ['its parent', [tokens(1, undefined, { input_tokens: 5 }), tokens(2, 1, { input_tokens: 5 })], [1, 0]],
    [
      'over a span between that says none',
      [
        tokens(1, undefined, { input_tokens: 5, output_tokens: 2 }),
        span(2, { parent: 1 }),
        tokens(3, 2, { output_tokens: 2 }),
      ],
      [2, 0, 0],
    ],
    [
      'both above two model calls',
      [
        tokens(1, undefined, { input_tokens: 9, output_tokens: 9 }),
        tokens(2, 1, { input_tokens: 9, output_tokens: 9 }),
        tokens(3, 2, { input_tokens: 4, output_tokens: 4 }),
        tokens(4, 2, { input_tokens: 5, output_tokens: 5 }),
      ],
      [3, 3, 0, 0],
    ],
  ])('%s', (_, spans, repeats) => {
    expect(decided(spans).map(({ repeatsTokens }) => repeatsTokens)).toEqual(repeats);
  });
});

describe('outbound calls that are retries', () => {
  const attempt = (id: number, from: number, status: number, more: Partial<ToldSpan> = {}) =>
    span(id, {
      ...{ parent: 1, kind: CLIENT, from, to: from + 5 },
      attributes: { 'server.address': 'pay.example', 'http.response.status_code': status },
      ...more,
    });

  it.each<readonly [string, readonly ToldSpan[], readonly number[]]>([
    ['after an error', [attempt(2, 0, 503), attempt(3, 10, 200)], [0, 1]],
    ['two after an error', [attempt(2, 0, 503), attempt(3, 10, 503), attempt(4, 20, 200)], [0, 1, 1]],
    ['none after a success', [attempt(2, 0, 200), attempt(3, 10, 200)], [0, 0]],
    ['not one that began before the error', [attempt(2, 0, 503), attempt(3, 4, 200)], [0, 0]],
    [
      'not one to another peer',
      [attempt(2, 0, 503), attempt(3, 10, 200, { attributes: { 'server.address': 'other.example' } })],
      [0, 0],
    ],
    ['not one of another parent', [attempt(2, 0, 503), attempt(3, 10, 200, { parent: 9 })], [0, 0]],
  ])('%s', (_, spans, retries) => {
    const rows = decided([span(1), ...spans]).filter((row) => row.span > 1);
    expect(rows.map(({ isRetry }) => isRetry)).toEqual(retries);
  });
});

describe('spans that were made to be expensive', () => {
  const consumer = (trace: number, targets: readonly number[]): ToldSpan =>
    span(1, { trace, kind: CONSUMER, service: 'worker', links: targets.map((target) => [target, 1] as const) });

  it('30 linked consumers that all link to each other, and one of them to a call', () => {
    const traces = Array.from({ length: 30 }, (_, place) => place + 10);
    const linked = traces.map((trace) => consumer(trace, trace === 10 ? [1, ...traces] : traces));
    const found = owners([span(1, { kind: SERVER }), ...linked]);
    expect(found).toEqual(['1.1 -> 1.1 (call)', ...traces.map((trace) => `${trace}.1 -> 1.1`)]);
  });

  it('a chain of 900 linked consumers', () => {
    const chain = Array.from({ length: 900 }, (_, place) => consumer(place + 2, [place + 1]));
    const found = owners([span(1, { kind: SERVER }), ...chain]);
    expect(new Set(found.slice(1).map((line) => line.split(' -> ')[1]))).toEqual(new Set(['1.1']));
  });
});
