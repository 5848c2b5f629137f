import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Journalled,
  journalledSpans,
  RowsInForce,
  type ToldSpan,
  toldSpans,
} from '../../../test/simulation/spans.ts';
import type { IsBoundary } from './forest.ts';

const boundaries: readonly IsBoundary[] = [
  () => true,
  (service) => service === 'front',
  (service) => service !== 'back',
];
const boundary = fc.constantFrom(...boundaries);
const stories = toldSpans({ traces: 4, spans: 24 });

/** Numbers that decide in which order and in which batch each span arrives. */
const arrivals = fc.array(fc.tuple(fc.nat(1000), fc.nat(5)), { minLength: 24, maxLength: 24 });

function inForce(isBoundary: IsBoundary, batches: readonly (readonly Journalled[])[]): RowsInForce {
  const rows = new RowsInForce(isBoundary);
  for (const batch of batches) rows.apply(batch);
  return rows;
}

function shuffled(spans: readonly Journalled[], order: readonly (readonly [number, number])[]): Journalled[][] {
  const batches: Journalled[][] = [[], [], [], [], [], []];
  const places = spans.map((_, place) => place).sort((a, b) => order[a]![0] - order[b]![0]);
  for (const place of places) batches[order[place]![1]]!.push(spans[place]!);
  return batches.filter((batch) => batch.length > 0);
}

const readable = (rows: RowsInForce) => rows.decided().map(text).sort();
const text = (decided: object) => JSON.stringify(decided);
const exact = (rows: RowsInForce) => rows.exact();

describe('rows in force do not depend on how spans arrived', () => {
  it('any order in any batches gives the rows of one batch, byte for byte', () => {
    fc.assert(
      fc.property(stories, arrivals, boundary, (told, order, isBoundary) => {
        const spans = journalledSpans(told);
        const once = inForce(isBoundary, [spans]);
        const apart = inForce(isBoundary, shuffled(spans, order));
        expect(readable(apart)).toEqual(readable(once));
        expect(exact(apart)).toEqual(exact(once));
      }),
      { numRuns: 600 },
    );
  });

  it('where no two sent spans contradict each other, the order in the journal does not matter either', () => {
    const withoutPlace = (rows: RowsInForce) =>
      rows
        .decided()
        .map(({ position: _, ...decided }) => text(decided))
        .sort();
    fc.assert(
      fc.property(stories, arrivals, boundary, (told, order, isBoundary) => {
        const agreed = withoutContradictions(told);
        const journalled = journalledSpans(agreed);
        const otherwise = journalledSpans([...agreed].sort((a, b) => rank(a, agreed, order) - rank(b, agreed, order)));
        expect(withoutPlace(inForce(isBoundary, [otherwise]))).toEqual(withoutPlace(inForce(isBoundary, [journalled])));
      }),
      { numRuns: 600 },
    );
  });

  it('the same batch again writes nothing, and neither does any part of it', () => {
    fc.assert(
      fc.property(stories, arrivals, boundary, (told, order, isBoundary) => {
        const spans = journalledSpans(told);
        const rows = inForce(isBoundary, [spans]);
        expect(rows.apply(spans)).toBe(0);
        for (const part of shuffled(spans, order)) expect(rows.apply(part)).toBe(0);
      }),
    );
  });

  it('spans sent again later, with whatever times, change nothing', () => {
    fc.assert(
      fc.property(stories, fc.integer({ min: -30, max: 30 }), boundary, (told, late, isBoundary) => {
        const rows = inForce(isBoundary, [journalledSpans(told)]);
        const again = told.map((span) => ({ ...span, from: span.from + late, to: span.to + 2 * late }));
        // A link is news even on a span that is known; only times differ here.
        rows.apply(journalledSpans(again, 2));
        expect(exact(rows)).toEqual(exact(inForce(isBoundary, [journalledSpans(told)])));
      }),
    );
  });
});

describe('what rows in force add up to', () => {
  it('the shares of a span are its weight, and every span is there', () => {
    fc.assert(
      fc.property(stories, boundary, (told, isBoundary) => {
        const decided = inForce(isBoundary, [journalledSpans(told)]).decided();
        const shares = new Map<string, number>();
        for (const { trace, span, kind, share } of decided) add(shares, `${trace}.${span}.${kind}`, share);
        const weights = new Map(
          [...told].reverse().map((span) => [`${span.trace}.${span.span}.${span.kind}`, weightOf(span.th)]),
        );
        expect(new Map([...shares].sort())).toEqual(new Map([...weights].sort()));
      }),
    );
  });

  it('work belongs to calls that are there: a call has exactly one row that is the call', () => {
    fc.assert(
      fc.property(stories, boundary, (told, isBoundary) => {
        const decided = inForce(isBoundary, [journalledSpans(told)]).decided();
        const calls = decided.filter(({ isCall }) => isCall).map(({ call }) => call);
        expect(new Set(calls).size).toBe(calls.length);
        expect(decided.filter(({ call }) => call !== null && !calls.includes(call))).toEqual([]);
      }),
    );
  });
});

function add(into: Map<string, number>, key: string, value: number): void {
  into.set(key, (into.get(key) ?? 0) + value);
}

function weightOf(th: string | undefined): number {
  return { '0': 1_000_000, '8': 2_000_000, c: 4_000_000, aaab: 3_000_046 }[th ?? '0']!;
}

/** Keeps one span of each identity and cuts parents that lead round in a circle: there the journal has to decide. */
function withoutContradictions(told: readonly ToldSpan[]): ToldSpan[] {
  const seen = new Set<string>();
  return told.flatMap((span) => {
    const identity = `${span.trace}.${span.span}.${span.kind}`;
    if (seen.has(identity)) return [];
    seen.add(identity);
    return [{ ...span, parent: span.parent !== undefined && span.parent < span.span ? span.parent : undefined }];
  });
}

function rank(span: ToldSpan, spans: readonly ToldSpan[], order: readonly (readonly [number, number])[]): number {
  return order[spans.indexOf(span)]![0];
}
