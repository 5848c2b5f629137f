import { MILLIS_PER_HOUR, parseMoney, type TimeRange } from '../model/index.ts';
import type { ModelInForce, Pool } from './cost-model.ts';

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
 * Turns the fixed amounts of a model into charges over their UTC calendar periods.
 *
 * Takes  range: charges that start in it are given.
 * Gives  one charge per period, or one per hour of it with `spread: hours`.
 * Holds  the hours of a period add up to its amount; left-over units go to the earliest hours.
 */
export function fixedCharges(model: ModelInForce, range: TimeRange): FixedCharge[] {
  const fromMs = Math.max(model.fromMs, range.fromMs);
  const toMs = Math.min(model.toMs, range.toMs);
  return model.spec.pools.flatMap((pool) => {
    if (!pool.fixed || fromMs >= toMs) return [];
    const amountAtto = parseMoney(pool.fixed.amount).amountAtto;
    const { per, spread } = pool.fixed;
    return periodsTouching(per, fromMs, toMs)
      .flatMap((period) =>
        spread === 'hours' ? hoursOf(pool, period, amountAtto) : [chargeOf(pool, period, period, amountAtto)],
      )
      .filter((charge) => charge.chargeStartMs >= fromMs && charge.chargeStartMs < toMs);
  });
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
  const magnitude = amountAtto < 0n ? -amountAtto : amountAtto;
  const part = magnitude / BigInt(hours);
  const leftOver = Number(magnitude - part * BigInt(hours));
  return Array.from({ length: hours }, (_, hour) => {
    const fromMs = period.fromMs + hour * MILLIS_PER_HOUR;
    const units = hour < leftOver ? part + 1n : part;
    return chargeOf(pool, period, { fromMs, toMs: fromMs + MILLIS_PER_HOUR }, amountAtto < 0n ? -units : units);
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
