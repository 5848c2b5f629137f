import { MILLIS_PER_HOUR, monthOf, parseMoney, type TimeRange } from '../model/index.ts';
import type { ModelInForce } from './cost-model.ts';
import { type Pool, scaledDecimal } from './pool.ts';

const MILLIS_PER_DAY = 24 * MILLIS_PER_HOUR;

/** An amount that is to be shared over the work of a stretch of time. */
export interface FixedCharge {
  readonly pool: Pool;
  readonly billingStartMs: number;
  readonly billingEndMs: number;
  readonly chargeStartMs: number;
  readonly chargeEndMs: number;
  readonly amountAtto: bigint;
}

/**
 * Turns the fixed amounts of a model, people's cost and amortised one-off costs into charges over UTC calendar periods.
 *
 * Takes  range: charges that start in it are given.
 * Gives  one charge per period, or one per hour of it with `spread: hours`; of a one-off cost one per day.
 * Holds  the hours of a period add up to its amount, the months of a salary to the year's, the days of a one-off cost to
 *        the whole of it; left-over units go to the earliest.
 */
export function fixedCharges(model: ModelInForce, range: TimeRange): FixedCharge[] {
  const stretch = { fromMs: Math.max(model.fromMs, range.fromMs), toMs: Math.min(model.toMs, range.toMs) };
  if (stretch.fromMs >= stretch.toMs) return [];
  const isIn = ({ chargeStartMs }: FixedCharge) => chargeStartMs >= stretch.fromMs && chargeStartMs < stretch.toMs;
  return model.spec.pools.flatMap((pool) =>
    pool.oneOff ? dayCharges(pool, pool.oneOff, stretch) : periodCharges(pool, stretch).filter(isIn),
  );
}

function periodCharges(pool: Pool, { fromMs, toMs }: TimeRange): FixedCharge[] {
  const plan = pool.fixed ?? pool.people;
  if (!plan) return [];
  return periodsTouching(plan.per, fromMs, toMs).flatMap((period) => {
    const amountAtto = pool.people ? peopleCost(pool.people, period) : parseMoney(pool.fixed!.amount).amountAtto;
    return plan.spread === 'hours' ? hoursOf(pool, period, amountAtto) : [chargeOf(pool, period, period, amountAtto)];
  });
}

/** Hours in 10^-6 times a rate in 10^-12, or heads times a salary, is an amount in 10^-18: no digit is lost. */
function peopleCost({ hours, rate, fte, salary, per }: NonNullable<Pool['people']>, period: TimeRange): bigint {
  if (hours !== undefined) return scaledDecimal(hours, 6) * scaledDecimal(rate!, 12);
  const year = periodsTouching('year', period.fromMs, period.toMs)[0]!;
  const parts = periodsTouching(per, year.fromMs, year.toMs);
  return partOf(
    scaledDecimal(fte!, 6) * scaledDecimal(salary!, 12),
    parts.length,
    parts.findIndex(({ fromMs }) => fromMs === period.fromMs),
  );
}

function dayCharges(pool: Pool, { amount, from, to }: NonNullable<Pool['oneOff']>, stretch: TimeRange): FixedCharge[] {
  const startMs = Date.parse(`${from}T00:00:00Z`);
  const days = (Date.parse(`${to}T00:00:00Z`) - startMs) / MILLIS_PER_DAY;
  const { amountAtto } = parseMoney(amount);
  const first = Math.max(0, Math.ceil((stretch.fromMs - startMs) / MILLIS_PER_DAY));
  const end = Math.min(days, Math.ceil((stretch.toMs - startMs) / MILLIS_PER_DAY));
  return Array.from({ length: Math.max(0, end - first) }, (_, place) => {
    const fromMs = startMs + (first + place) * MILLIS_PER_DAY;
    return chargeOf(
      pool,
      monthOf(fromMs),
      { fromMs, toMs: fromMs + MILLIS_PER_DAY },
      partOf(amountAtto, days, first + place),
    );
  });
}

/** One of so many equal parts of an amount; left-over units go to the earliest. */
function partOf(amountAtto: bigint, parts: number, place: number): bigint {
  const magnitude = amountAtto < 0n ? -amountAtto : amountAtto;
  const part = magnitude / BigInt(parts);
  const units = BigInt(place) < magnitude - part * BigInt(parts) ? part + 1n : part;
  return amountAtto < 0n ? -units : units;
}

function chargeOf(pool: Pool, billing: TimeRange, charge: TimeRange, amountAtto: bigint): FixedCharge {
  return {
    pool,
    billingStartMs: billing.fromMs,
    billingEndMs: billing.toMs,
    chargeStartMs: charge.fromMs,
    chargeEndMs: charge.toMs,
    amountAtto,
  };
}

function hoursOf(pool: Pool, period: TimeRange, amountAtto: bigint): FixedCharge[] {
  const hours = (period.toMs - period.fromMs) / MILLIS_PER_HOUR;
  return Array.from({ length: hours }, (_, hour) => {
    const fromMs = period.fromMs + hour * MILLIS_PER_HOUR;
    return chargeOf(pool, period, { fromMs, toMs: fromMs + MILLIS_PER_HOUR }, partOf(amountAtto, hours, hour));
  });
}

function periodsTouching(per: 'month' | 'day' | 'year', fromMs: number, toMs: number): TimeRange[] {
  const first = new Date(fromMs);
  const start = {
    year: Date.UTC(first.getUTCFullYear(), 0),
    month: Date.UTC(first.getUTCFullYear(), first.getUTCMonth()),
    day: Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate()),
  }[per];
  const periods: TimeRange[] = [];
  for (let at = start; at < toMs; at = periods.at(-1)!.toMs) periods.push({ fromMs: at, toMs: nextStart(per, at) });
  return periods;
}

function nextStart(per: 'month' | 'day' | 'year', atMs: number): number {
  const at = new Date(atMs);
  if (per === 'year') return Date.UTC(at.getUTCFullYear() + 1, 0);
  if (per === 'month') return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 1);
}
