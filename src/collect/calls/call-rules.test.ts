import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { journalledSpans, RowsInForce, type ToldSpan, toldSpans } from '../../../test/simulation/spans.ts';
import { SpanKind } from '../../model/index.ts';
import { EndpointBudget } from '../naming/endpoint-budget.ts';

const { SERVER, INTERNAL, CONSUMER } = SpanKind;

const call = (trace: number, more: Partial<ToldSpan> = {}): ToldSpan => ({
  ...{ trace, span: 1, kind: SERVER, service: 'front', from: 0, to: 100 },
  ...more,
});
const below = (trace: number, span: number, more: Partial<ToldSpan> = {}): ToldSpan =>
  call(trace, { span, parent: 1, kind: INTERNAL, ...more });

function applied(rows: RowsInForce, batches: readonly (readonly ToldSpan[])[]): RowsInForce {
  batches.forEach((spans, segment) => {
    rows.apply(journalledSpans(spans, segment + 1));
  });
  return rows;
}

const calls = (rows: RowsInForce) =>
  rows
    .decided()
    .filter(({ isCall }) => isCall)
    .map(({ trace, tenant, endpoint }) => `${trace} ${tenant} ${endpoint}`)
    .sort();

describe('the endpoint budget', () => {
  const under = (limit: number) =>
    new RowsInForce(() => true, { budget: new EndpointBudget(limit), refusesUnknown: false });

  it.each<readonly [string, readonly (readonly ToldSpan[])[], readonly string[]]>([
    [
      'a tenant that has its fill gets `other`, others do not',
      [
        [call(1, { tenant: 'acme', route: '/a' })],
        [call(2, { tenant: 'acme', route: '/b' }), call(3, { tenant: 'zoo', route: '/b' })],
      ],
      ['1 acme GET /a', '2 acme other', '3 zoo GET /b'],
    ],
    [
      'servers below a call take no place',
      [
        [call(1, { tenant: 'acme', route: '/a' }), below(1, 2, { kind: SERVER, tenant: 'acme', route: '/inner' })],
        [call(2, { tenant: 'acme', route: '/a' })],
      ],
      ['1 acme GET /a', '2 acme GET /a'],
    ],
    [
      'the place is taken from the tenant that the call has in the end',
      [
        [call(1, { route: '/a' })],
        [below(1, 2, { tenant: 'acme' })],
        [call(2, { route: '/b' }), call(3, { tenant: 'acme', route: '/b' })],
      ],
      ['1 acme GET /a', '2 (unknown) other', '3 acme other'],
    ],
    [
      'what was put under `other` stays there when it is sent again, and when work comes late',
      [
        [call(1, { tenant: 'acme', route: '/a' }), call(2, { tenant: 'acme', route: '/b' })],
        [call(2, { tenant: 'acme', route: '/b' }), below(2, 2)],
        [below(1, 2)],
      ],
      ['1 acme GET /a', '2 acme other'],
    ],
  ])('%s', (_, batches, expected) => {
    expect(calls(applied(under(1), batches))).toEqual(expected);
  });

  it('what is sent again changes nothing, however small the budget is', () => {
    fc.assert(
      fc.property(toldSpans({ traces: 4, spans: 16 }), fc.integer({ min: 1, max: 2 }), (told, limit) => {
        const rows = applied(under(limit), [told]);
        expect(rows.apply(journalledSpans(told))).toBe(0);
        for (const tenant of ['acme', 'zoo', '(unknown)']) {
          const own = rows.decided().filter((row) => row.isCall && row.tenant === tenant && row.endpoint !== 'other');
          expect(new Set(own.map(({ endpoint }) => endpoint)).size).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });
});

describe('calls of nobody, where they are refused', () => {
  const refusing = () =>
    new RowsInForce(() => true, { budget: new EndpointBudget(Number.POSITIVE_INFINITY), refusesUnknown: true });
  const owners = (rows: RowsInForce) =>
    rows
      .decided()
      .map(({ trace, span, call, isCall }) => `${trace}.${span} ${isCall ? 'is a call' : (call ?? 'nobody')}`)
      .sort();

  it(`their work is nobody's until a span names the tenant`, () => {
    const rows = applied(refusing(), [[call(1), below(1, 2), below(1, 3, { parent: 9 })]]);
    expect(owners(rows)).toEqual(['1.1 nobody', '1.2 nobody', '1.3 nobody']);
    rows.apply(journalledSpans([below(1, 4, { tenant: 'acme' })], 2));
    expect(owners(rows)).toEqual(['1.1 is a call', '1.2 1.1', '1.3 1.1', '1.4 1.1']);
  });

  it('what was a call before stays one when more of it comes', () => {
    const rules = { budget: new EndpointBudget(Number.POSITIVE_INFINITY), refusesUnknown: false };
    const rows = applied(new RowsInForce(() => true, rules), [[call(1)]]);
    rules.refusesUnknown = true;
    applied(rows, [[below(1, 2), call(2)]]);
    expect(owners(rows)).toEqual(['1.1 is a call', '1.2 1.1', '2.1 nobody']);
  });

  it('links that lead to several of them are one taker', () => {
    const linked = call(9, {
      kind: CONSUMER,
      links: [
        [1, 1],
        [2, 1],
        [3, 1],
      ],
    });
    const rows = applied(refusing(), [[call(1), call(2), call(3, { tenant: 'acme' }), linked]]);
    expect(rows.decided().flatMap(({ trace, share }) => (trace === 9 ? [share] : []))).toEqual([500_000, 500_000]);
  });

  it('any order in any batches gives the rows of one batch', () => {
    const arrivals = fc.array(fc.nat(3), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(toldSpans({ traces: 4, spans: 16 }), arrivals, (told, batch) => {
        const spans = journalledSpans(told);
        const apart = refusing();
        for (const number of [0, 1, 2, 3]) apart.apply(spans.filter((_, place) => batch[place] === number));
        const once = refusing();
        once.apply(spans);
        expect(apart.exact()).toEqual(once.exact());
      }),
      { numRuns: 200 },
    );
  });
});
