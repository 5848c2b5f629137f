import type { CostsOfCalls } from '../../advise/index.ts';
import { storedAmount } from '../../cost/index.ts';
import { type DayCosts, dayCosts } from '../../ledger/index.ts';
import { divideHalfEven, fail, MILLIS_PER_MINUTE, type TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import { type Choice, type CostsByDay, dateOf, windowStart, windowsOf } from '../../usage/index.ts';

/** Calls that cost something, by what the ledger has of them. A group with calls and no share costs an unknown amount: nobody shared it out yet. */
type CostRow = DayCosts['rows'][number];

/**
 * Gives what calls of days cost, full, for benchmarks.
 *
 * Takes  currency: needed only where bills have several.
 * Fails  PARAMETER_INVALID for a choice that money is not known by; CURRENCY_MIXED.
 */
export function costsByDay(store: Store, currency?: string): CostsByDay {
  return async (range, timeZone, only) => {
    const names = (Object.keys(only) as (keyof Choice)[]).map((name) => {
      if (name === 'tenant' || name === 'endpoint') return name;
      throw fail('PARAMETER_INVALID', { reason: `costs are not known by ${name}` });
    });
    const { rows } = await rowsOfDays(store, range, names, timeZone, currency);
    const days = new Map<string, { amountAtto: bigint; callsMicro: bigint }>();
    for (const row of rows.filter(hasFullCost)) {
      if (names.some((name) => !only[name]!.includes(row[name]!))) continue;
      const day = days.get(row.day!) ?? { amountAtto: 0n, callsMicro: 0n };
      const callsMicro = day.callsMicro + microOf(row);
      days.set(row.day!, { amountAtto: day.amountAtto + storedAmount(row.full), callsMicro });
    }
    return days;
  };
}

/**
 * Gives what calls cost directly, by tenant and endpoint, for advice: as an average over the days of a range on which it is known.
 *
 * Fails  CURRENCY_MIXED.
 */
export function costsOfCalls(store: Store, currency?: string): CostsOfCalls {
  return async (range) => {
    const report = await rowsOfDays(store, range, ['tenant', 'endpoint'], 'UTC', currency);
    const known = new Map<string, { amountAtto: bigint; callsMicro: bigint }>();
    for (const row of report.rows.filter(hasDirectCost)) {
      const key = JSON.stringify([row.tenant, row.endpoint]);
      const sum = known.get(key) ?? { amountAtto: 0n, callsMicro: 0n };
      const callsMicro = sum.callsMicro + microOf(row);
      known.set(key, { amountAtto: sum.amountAtto + storedAmount(row.direct), callsMicro });
    }
    if (known.size === 0) return null;
    return {
      currency: report.currency,
      costOf: (tenant, endpoint, callsMicro) => {
        const sum = known.get(JSON.stringify([tenant, endpoint]));
        return sum ? divideHalfEven(sum.amountAtto * callsMicro, sum.callsMicro) : null;
      },
    };
  };
}

/** Gives rows of the whole days that a range touches, whatever it cuts off of them. */
async function rowsOfDays(
  store: Store,
  range: TimeRange,
  names: readonly ('tenant' | 'endpoint')[],
  timeZone: string,
  currency: string | undefined,
): Promise<DayCosts> {
  const last = { fromMs: range.toMs - 1, toMs: range.toMs };
  const fromMs = windowStart(range.fromMs, 'day', timeZone);
  const toMs = windowsOf(last, 'day', timeZone)[0]!.toMs;
  const costs = await dayCosts(store, wholeMinutes({ fromMs, toMs }), names, currency, timeZone);
  // Where a day does not begin with a minute, some of its neighbours are there.
  const [firstDay, lastDay] = [dateOf(range.fromMs, timeZone), dateOf(last.fromMs, timeZone)];
  return { ...costs, rows: costs.rows.filter(({ day }) => day! >= firstDay && day! <= lastDay) };
}

function hasFullCost(row: CostRow): boolean {
  return microOf(row) > 0n && storedAmount(row.full) !== 0n;
}

/** What people cost is no cost that fewer calls would save: where nothing but that is posted, the direct cost is not known. */
function hasDirectCost(row: CostRow): boolean {
  return microOf(row) > 0n && storedAmount(row.direct) !== 0n;
}

function microOf({ calls }: CostRow): bigint {
  return BigInt(Math.round((calls ?? 0) * 1e6));
}

/** Costs are known by the minute. */
function wholeMinutes({ fromMs, toMs }: TimeRange): TimeRange {
  const down = (at: number) => Math.floor(at / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE;
  return { fromMs: down(fromMs), toMs: down(toMs + MILLIS_PER_MINUTE - 1) };
}
