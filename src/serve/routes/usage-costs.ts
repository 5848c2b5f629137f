import type { CostsOfCalls } from '../../advise/index.ts';
import { storedAmount } from '../../cost/index.ts';
import { type CostReport, costReport } from '../../ledger/index.ts';
import { divideHalfEven, fail, MILLIS_PER_MINUTE, type TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import type { Choice, CostsByDay } from '../../usage/index.ts';

/** Calls that cost something, by what the ledger has of them. A group with calls and no share costs an unknown amount: nobody shared it out yet. */
type CostRow = CostReport['rows'][number];

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
    const { rows } = await costReport(store, wholeMinutes(range), [...names, 'day'], currency, timeZone);
    const days = new Map<string, { amountAtto: bigint; callsMicro: bigint }>();
    for (const row of rows.filter(isKnown)) {
      if (names.some((name) => !only[name]!.includes(row[name]!))) continue;
      const day = days.get(row.day!) ?? { amountAtto: 0n, callsMicro: 0n };
      const callsMicro = day.callsMicro + microOf(row);
      days.set(row.day!, { amountAtto: day.amountAtto + storedAmount(row.full), callsMicro });
    }
    return days;
  };
}

/** Gives what calls cost directly, by tenant and endpoint, for advice. Fails CURRENCY_MIXED. */
export function costsOfCalls(store: Store, currency?: string): CostsOfCalls {
  return async (range) => {
    const report = await costReport(store, wholeMinutes(range), ['tenant', 'endpoint'], currency);
    const known = new Map(
      report.rows.filter(isKnown).map((row) => [JSON.stringify([row.tenant, row.endpoint]), row] as const),
    );
    if (known.size === 0) return null;
    return {
      currency: report.currency,
      costOf: (tenant, endpoint, callsMicro) => {
        const row = known.get(JSON.stringify([tenant, endpoint]));
        return row ? divideHalfEven(storedAmount(row.direct) * callsMicro, microOf(row)) : null;
      },
    };
  };
}

function isKnown(row: CostRow): boolean {
  return microOf(row) > 0n && storedAmount(row.full) !== 0n;
}

function microOf({ calls }: CostRow): bigint {
  return BigInt(Math.round((calls ?? 0) * 1e6));
}

/** Costs are known by the minute. */
function wholeMinutes({ fromMs, toMs }: TimeRange): TimeRange {
  const down = (at: number) => Math.floor(at / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE;
  return { fromMs: down(fromMs), toMs: down(toMs + MILLIS_PER_MINUTE - 1) };
}
