import { type Driver, drivers, formatMoney, grouped, type TimeRange } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';
import type { CostReportRow } from './cost-rows.ts';
import {
  type SampledSum,
  type SharedBy,
  type SharedPart,
  sampledIn,
  sampledSums,
  sharedParts,
  sharers,
} from './sampling-queries.ts';
import type { Dimension } from './sum-queries.ts';

/** More charge periods than this are not looked at: the error is then unknown. */
const MOST_PARTS = 20_000;

/** A row with the standard error of `full`, decimal text; null where it is not known. */
export type EstimatedRow = CostReportRow & { readonly standardError: string | null };

/**
 * Says how far the cost of each row may be from what it would be if every call had been seen. Amounts are exact; whose they are is an
 * estimate where senders sample.
 *
 * Takes  rows: of a report by tenant, endpoint, both or neither; of others the error is not known.
 * Gives  0 where nothing was sampled; null where no sender said how it sampled, or where an amount was shared by other totals than
 *        the work of its charge period gives now: of a pool of some services, of work that came late, of a restated charge; and of
 *        sampled work of which only sums are kept.
 * Holds  traces are kept independently, the spans of one together. Errors of the same charge period add up, as do those of periods of
 *        different length; those of other periods are independent. So it is rather too large than too small.
 * From   the delta method for a share of two totals; docs/internals/allocation.md
 */
export async function withStandardErrors(
  columns: ColumnStore,
  range: TimeRange,
  currency: string,
  by: readonly Dimension[],
  rows: readonly CostReportRow[],
): Promise<EstimatedRow[]> {
  const errors = await standardErrors(columns, range, currency, by);
  return rows.map((row) => {
    const isKnown = row.coverage.weight !== null && row.coverage.weight > 0;
    const error = errors?.get(keyOf(row)) ?? (errors === null ? null : 0);
    return { ...row, standardError: isKnown && error !== null && !Number.isNaN(error) ? shown(error) : null };
  });
}

/** By row; NaN for what is not known, null when nothing is, and nothing for 0. */
async function standardErrors(
  columns: ColumnStore,
  range: TimeRange,
  currency: string,
  by: readonly Dimension[],
): Promise<Map<string, number> | null> {
  const keys = by.filter((name): name is SharedBy => name === 'tenant' || name === 'endpoint');
  if (keys.length < by.length) return null;
  const parts = await sharedParts(columns, range, currency);
  if (parts.length > MOST_PARTS) return null;
  const reach = { fromMs: range.fromMs, toMs: Math.max(range.toMs, ...parts.map((part) => part.charge_to * 1000)) };
  const sampled = await sampledIn(columns, reach);
  // Which trace a sampled span belonged to says no sum.
  if (sampled === 'let go') return null;
  if (sampled === 'none') return new Map();
  // By length of the period, then by its beginning, then by row.
  const errors = new Map<number, Map<number, Map<string, number>>>();
  for (const alike of askedTogether(parts)) {
    const sums = await sumsOf(columns, alike, keys);
    const unknown = await unknownOf(columns, range, alike, sums, keys);
    for (const part of alike) {
      const ofPart = isOf(part, sums.get(part.charge_from))
        ? shareErrors(part.amount, sums.get(part.charge_from)!)
        : unknown;
      for (const [key, error] of ofPart) add(inner(inner(errors, lengthOf(part)), part.charge_from), key, error);
    }
  }
  return combined(errors);
}

/** Parts that one query answers for. */
function askedTogether(parts: readonly SharedPart[]): Iterable<SharedPart[]> {
  const keyOf = (part: SharedPart) => {
    const length = lengthOf(part);
    return JSON.stringify([part.driver, part.service, length, Number(part.charge_from) % length]);
  };
  return grouped(parts, keyOf).values();
}

/** Gives the sums of each charge period, by its beginning. */
async function sumsOf(
  columns: ColumnStore,
  parts: readonly SharedPart[],
  by: readonly SharedBy[],
): Promise<Map<number, SampledSum[]>> {
  const [{ driver, service }] = parts as [SharedPart];
  const length = lengthOf(parts[0]!);
  const offset = parts[0]!.charge_from % length;
  const sums = new Map<number, SampledSum[]>();
  if (!(drivers as readonly string[]).includes(driver)) return sums;
  const starts = parts.map(({ charge_from }) => charge_from);
  const range = { fromMs: Math.min(...starts) * 1000, toMs: (Math.max(...starts) + length) * 1000 };
  const asked = { driver: driver as Driver, service };
  for (const sum of await sampledSums(columns, { range, length, offset }, asked, by)) {
    const from = Number(sum.period) * length + offset;
    sums.set(from, [...(sums.get(from) ?? []), sum]);
  }
  return sums;
}

/** Whether an amount was shared by the totals that its work has now. */
function isOf(part: SharedPart, sums: readonly SampledSum[] | undefined): boolean {
  const total = (sums ?? []).reduce((sum, each) => sum + BigInt(each.total), 0n);
  return total > 0n && BigInt(part.least) === total && BigInt(part.most) === total;
}

/** The rows of parts whose error is not known, each with NaN. */
async function unknownOf(
  columns: ColumnStore,
  range: TimeRange,
  parts: readonly SharedPart[],
  sums: ReadonlyMap<number, readonly SampledSum[]>,
  by: readonly SharedBy[],
): Promise<Map<string, number>> {
  if (parts.every((part) => isOf(part, sums.get(part.charge_from)))) return new Map();
  return new Map((await sharers(columns, range, parts[0]!, by)).map((row) => [keyOf(row), Number.NaN]));
}

/**
 * Gives the standard error of each group's share of an amount: |amount| / T x sqrt(sum of (a - r b)^2), with T the total and r the
 * group's part of it.
 */
export function shareErrors(amount: string, sums: readonly SampledSum[]): Map<string, number> {
  const total = sums.reduce((sum, each) => sum + Number(each.total), 0);
  const all = sums.reduce((sum, { ab }) => sum + ab, 0);
  return new Map(
    sums.flatMap((each) => {
      if (Number(each.is_nobodys) === 1) return [];
      const ratio = Number(each.total) / total;
      const variance = Math.max(0, each.aa - 2 * ratio * each.ab + ratio * ratio * all);
      return [[keyOf(each), (Math.abs(Number(amount)) / total) * Math.sqrt(variance)] as const];
    }),
  );
}

function combined(errors: ReadonlyMap<number, ReadonlyMap<number, ReadonlyMap<string, number>>>): Map<string, number> {
  const total = new Map<string, number>();
  for (const periods of errors.values()) {
    const variances = new Map<string, number>();
    for (const ofPeriod of periods.values()) for (const [key, error] of ofPeriod) add(variances, key, error * error);
    for (const [key, variance] of variances) add(total, key, Math.sqrt(variance));
  }
  return total;
}

function lengthOf({ charge_from, charge_to }: SharedPart): number {
  return Math.max(1, charge_to - charge_from);
}

function add(into: Map<string, number>, key: string, value: number): void {
  into.set(key, (into.get(key) ?? 0) + value);
}

function inner<Key, Name, Value>(outer: Map<Key, Map<Name, Value>>, key: Key): Map<Name, Value> {
  const found = outer.get(key) ?? new Map<Name, Value>();
  outer.set(key, found);
  return found;
}

function keyOf({ tenant = '', endpoint = '' }: { readonly tenant?: string; readonly endpoint?: string }): string {
  return JSON.stringify([tenant, endpoint]);
}

function shown(error: number): string {
  return formatMoney(BigInt(Math.round(error * 1e18)));
}
