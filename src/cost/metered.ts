import {
  divideHalfEven,
  fail,
  formatInstant,
  monthOf,
  parseDecimal,
  parseInstant,
  type TimeRange,
} from '../model/index.ts';
import type { ColumnStore, DocumentStore } from '../store/index.ts';
import { listMeters, type MeterRow, queryMeter } from '../usage/index.ts';
import type { Meters, ModelInForce } from './cost-model.ts';
import type { Pool } from './pool.ts';
import { reach } from './rule.ts';
import { modelSlice, type Slice } from './slice.ts';

const MILLIS_PER_DAY = 86_400_000;
const DIGITS = 18;

/**
 * Turns meters that have a price into amounts: what a UTC day's events came to, times the price. Minutes of builds and tests, seats,
 * messages, or anything else that somebody counts with events.
 *
 * Holds  an amount is the exact product, rounded half-even once where it is finer than 10^-18.
 * Fails  NOT_FOUND when there is no such meter any more: nothing would look like zero.
 */
export async function meteredSlices(
  columns: ColumnStore,
  models: readonly ModelInForce[],
  range: TimeRange,
): Promise<Slice[]> {
  const slices: Slice[] = [];
  for (const model of models) {
    const days = {
      fromMs: wholeDay(Math.max(model.fromMs, range.fromMs)),
      toMs: wholeDay(Math.min(model.toMs, range.toMs)),
    };
    if (days.fromMs >= days.toMs) continue;
    for (const pool of model.spec.pools) {
      if (pool.metered) slices.push(...(await slicesOfMeter(columns, model, pool, pool.metered, days)));
    }
  }
  return slices;
}

async function slicesOfMeter(
  columns: ColumnStore,
  model: ModelInForce,
  pool: Pool,
  { meter, price }: NonNullable<Pool['metered']>,
  days: TimeRange,
): Promise<Slice[]> {
  const rows = await readMeter(columns, model.meters, meter, days, 'DAY', []);
  return rows.flatMap((row) => {
    const chargeStartMs = parseInstant(row.windowStart);
    const amountAtto = divideHalfEven(scaled(row.value) * scaled(price), 10n ** BigInt(DIGITS));
    if (amountAtto === 0n) return [];
    const { fromMs: billingStartMs, toMs: billingEndMs } = monthOf(chargeStartMs);
    const charge = {
      billingStartMs,
      billingEndMs,
      chargeStartMs,
      chargeEndMs: chargeStartMs + MILLIS_PER_DAY,
      amountAtto,
    };
    return [modelSlice(model, pool.id, charge)];
  });
}

/** The meters that there are, by name; none are read where no slice is split by one. */
export async function metersFor(documents: DocumentStore, slices: readonly Slice[]): Promise<Meters> {
  const rules = new Set(slices.flatMap(({ pool }) => (pool === null ? [] : reach(pool))));
  const asksForAny = [...rules].some(({ steps }) => steps.some(({ by }) => typeof by === 'object' && 'meter' in by));
  return new Map(asksForAny ? (await listMeters(documents)).map((meter) => [meter.slug, meter]) : []);
}

/** What a meter came to in a range, by the values of one of its groups; in 10^-18, what is negative or without a name left out. */
export async function meterSums(
  columns: ColumnStore,
  meters: Meters,
  { meter, group }: { readonly meter: string; readonly group: string },
  range: TimeRange,
): Promise<Map<string, bigint>> {
  const sums = new Map<string, bigint>();
  for (const row of await readMeter(columns, meters, meter, range, null, [group])) {
    const name = group === 'subject' ? row.subject : row.groupBy[group];
    if (name !== null && name !== undefined && name !== '') sums.set(name, scaled(row.value));
  }
  return sums;
}

async function readMeter(
  columns: ColumnStore,
  meters: Meters,
  slug: string,
  { fromMs, toMs }: TimeRange,
  window: 'DAY' | null,
  groupBy: readonly string[],
): Promise<MeterRow[]> {
  const meter = meters.get(slug);
  if (meter === undefined) throw fail('NOT_FOUND', { meter: slug, from: formatInstant(fromMs) });
  return queryMeter(columns, meter, { fromMs, toMs, window, timeZone: 'UTC', subjects: null, groupBy, filter: {} });
}

function scaled(decimal: string): bigint {
  const parsed = parseDecimal(decimal, DIGITS);
  return parsed === null || parsed === 'too large' ? 0n : parsed.value;
}

function wholeDay(instantMs: number): number {
  return Math.ceil(instantMs / MILLIS_PER_DAY) * MILLIS_PER_DAY;
}
