import type { Store } from '../../store/index.ts';
import type { Dimension } from '../sums/dimensions.ts';
import { sumCalls } from '../sums/sum-calls.ts';
import { readPresence, type Standing, shareOf, shownCalls } from './freshness.ts';
import type { VolumeQuestion } from './volume.ts';

/** How unevenly amounts are spread. All from 0 to 1. */
export interface Concentration {
  readonly count: number;
  readonly top1: number | null;
  readonly top5: number | null;
  readonly top10: number | null;
  /** 0 where all have the same, towards 1 where one has all. */
  readonly gini: number | null;
  /** The sum of the squares of the shares: 1 / count where all have the same, 1 where one has all. */
  readonly herfindahl: number | null;
}

/**
 * Measures how unevenly amounts are spread.
 *
 * Takes  amounts: none negative; zeros do not take part.
 * Holds  top1 <= top5 <= top10 <= 1; 1/count <= herfindahl <= top1; 0 <= gini < 1; the order does not matter.
 * From   Gini by ranks; Herfindahl and Hirschman.
 */
export function concentrationOf(amounts: readonly bigint[]): Concentration {
  const sorted = amounts.filter((amount) => amount > 0n).sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
  const whole = sorted.reduce((sum, amount) => sum + amount, 0n);
  const count = sorted.length;
  if (count === 0) return { count, top1: null, top5: null, top10: null, gini: null, herfindahl: null };
  const top = (first: number) =>
    shareOf(
      sorted.slice(0, first).reduce((sum, amount) => sum + amount, 0n),
      whole,
    );
  // Exact until the one division: of many small shares the sum of their roundings would show.
  const squares = sorted.reduce((sum, amount) => sum + amount * amount, 0n);
  const ranked = sorted.reduce((sum, amount, place) => sum + amount * BigInt(2 * (count - place) - count - 1), 0n);
  const digits = 10n ** 12n;
  return {
    ...{ count, top1: top(1), top5: top(5), top10: top(10) },
    gini: Number((ranked * digits) / (BigInt(count) * whole)) / 1e12,
    herfindahl: Number((squares * digits) / (whole * whole)) / 1e12,
  };
}

export interface ConcentrationRow extends Partial<Record<Dimension, string>> {
  readonly rank: number;
  readonly calls: number;
  readonly share: number | null;
  /** Of this one and all above it. */
  readonly cumulativeShare: number | null;
}

export interface ConcentrationReport extends Standing, Concentration {
  readonly calls: number;
  /** If the largest left: calls that stay, and how unevenly those are spread. */
  readonly withoutLargest: Concentration & { readonly calls: number; readonly growth: number | null };
  readonly rows: readonly ConcentrationRow[];
}

const SHOWN = 1_000;

/** Ranks groups by their calls. Takes  base: to say what growth would be without the largest. */
export async function concentrationReport(
  store: Store,
  question: VolumeQuestion,
  now: Date,
): Promise<ConcentrationReport> {
  const { range, by, only, base } = question;
  const presence = await readPresence(store.columns, range, now);
  const ask = (asked: typeof range) => sumCalls(store.columns, { ranges: [asked], by, only, isByRange: false });
  const sums = (await ask(range)).sort((a, b) => (a.calls < b.calls ? 1 : a.calls > b.calls ? -1 : 0));
  const before = base === null ? [] : await ask(base);
  const [whole, known] = [
    sums.reduce((sum, { calls }) => sum + calls, 0n),
    sums.reduce((sum, row) => sum + row.known, 0n),
  ];
  const largest = JSON.stringify(sums[0]?.keys);
  const rest = sums.slice(1).map(({ calls }) => calls);
  const stays = whole - (sums[0]?.calls ?? 0n);
  const stayed = before
    .filter(({ keys }) => JSON.stringify(keys) !== largest)
    .reduce((sum, { calls }) => sum + calls, 0n);
  let so = 0n;
  const rows = sums.slice(0, SHOWN).map(({ keys, calls }, place) => {
    so += calls;
    return {
      rank: place + 1,
      ...keys,
      calls: shownCalls(calls),
      share: shareOf(calls, whole),
      cumulativeShare: shareOf(so, whole),
    };
  });
  return {
    calls: shownCalls(whole),
    ...concentrationOf(sums.map(({ calls }) => calls)),
    withoutLargest: {
      ...concentrationOf(rest),
      calls: shownCalls(stays),
      growth: base === null ? null : shareOf(stays - stayed, stayed),
    },
    rows,
    ...presence.standing(range, whole, known),
  };
}
