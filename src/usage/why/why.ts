import { fail } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import { readPresence, type Standing, shareOf, shownCalls } from '../reports/freshness.ts';
import type { Dimension, dimensionSql } from '../sums/dimensions.ts';
import { type CallSums, sumCalls } from '../sums/sum-calls.ts';
import { decompose, type Moved, type Part } from './decompose.ts';
import { type Diagnosis, diagnose } from './diagnose.ts';
import { readEvidence, type TwoRanges } from './read-evidence.ts';

export interface WhyRow {
  readonly dimension: string;
  readonly key: string;
  readonly kind: Part['kind'];
  readonly before: number;
  readonly after: number;
  readonly change: number;
  /** Of the whole change; may be more than 1, or negative. */
  readonly shareOfChange: number | null;
}

export interface WhyReport extends Standing {
  /** Null where no call of anybody arrived in the first range: then nothing moved that could be told. */
  readonly before: number | null;
  readonly after: number;
  readonly change: number | null;
  readonly growth: number | null;
  readonly diagnoses: readonly Diagnosis[];
  /** By each dimension the changes of its rows add up to the change. */
  readonly rows: readonly WhyRow[];
}

/**
 * Says why volume moved between two ranges: where the change is, and what it looks like.
 *
 * Takes  by: each dimension takes the whole change apart by itself. shown: parts of each, the others together.
 * Holds  the parts of a dimension add up to the change, exactly.
 * Fails  PARAMETER_INVALID where the ranges overlap, or the base is not the earlier one; RANGE_DROPPED where single calls of them were let go.
 */
export async function whyReport(
  store: Store,
  asked: TwoRanges & { readonly by: readonly Dimension[]; readonly shown: number },
  now: Date,
): Promise<WhyReport> {
  const { range, base, only, by, shown } = asked;
  if (base.toMs > range.fromMs)
    throw fail('PARAMETER_INVALID', { reason: 'the range to compare with must end before the other begins' });
  const presence = await readPresence(store.columns, { fromMs: base.fromMs, toMs: range.toMs }, now);
  const evidence = await readEvidence(store.columns, asked, presence);
  const ask = (by: readonly Dimension[]) =>
    sumCalls(store.columns, { ranges: [base, range], by, only, isByRange: true });
  const whole = await ask([]);
  const sumsOf = (place: number) => whole.find((row) => row.range === place) ?? { calls: 0n, known: 0n };
  const [before, after] = [sumsOf(0), sumsOf(1)];
  const standing = presence.standing(range, after.calls, after.known);
  if (!evidence.isBeforeKnown) {
    const nothing = { before: null, after: shownCalls(after.calls), change: null, growth: null, rows: [] };
    return { ...nothing, diagnoses: diagnose(evidence), ...standing };
  }
  const names = by.length === 0 ? (['tenant', 'endpoint'] as const) : by;
  const found = await Promise.all(names.map(async (name) => ({ name, moved: movedOf(await ask([name]), name) })));
  const rows = found.flatMap(({ name, moved }) =>
    decompose(moved, shown).map((part) => shownPart(name, part, after.calls - before.calls)),
  );
  return {
    ...{
      before: shownCalls(before.calls),
      after: shownCalls(after.calls),
      change: shownCalls(after.calls - before.calls),
    },
    growth: shareOf(after.calls - before.calls, before.calls),
    ...{ diagnoses: diagnose(evidence), rows },
    ...standing,
  };
}

/** Takes  sums: of the base and of the range, in this order. */
function movedOf(sums: readonly CallSums[], name: Dimension): Moved[] {
  const moved = new Map<string, Moved>();
  for (const { range, keys, calls } of sums) {
    const key = keys[name]!;
    const so = moved.get(key) ?? { key, before: 0n, after: 0n };
    moved.set(key, { ...so, [range === 0 ? 'before' : 'after']: calls });
  }
  return [...moved.values()];
}

function shownPart(dimension: keyof typeof dimensionSql, part: Part, change: bigint): WhyRow {
  return {
    ...{ dimension, key: part.key, kind: part.kind, before: shownCalls(part.before), after: shownCalls(part.after) },
    ...{ change: shownCalls(part.change), shareOfChange: shareOf(part.change, change) },
  };
}
