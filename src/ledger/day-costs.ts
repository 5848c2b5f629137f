import { modelsInForce, secondsOf } from '../cost/index.ts';
import { fail, type TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { callTotals } from './call-queries.ts';
import { type CostReportRow, rowsOf } from './cost-rows.ts';
import { closedPeriods } from './queries.ts';
import { reachBack } from './reallocation.ts';
import { CHARGES_TOUCH, type Dimension, sumCosts, touchParams } from './sum-queries.ts';

export interface DayCosts {
  readonly currency: string;
  /** `late` and the coverage of drivers are not worked out. */
  readonly rows: readonly CostReportRow[];
}

/**
 * Says what calls of days cost, of charges that are posted, whenever these began.
 *
 * Takes  days: whole ones of the zone, to the minute. by: dimensions of the rows beside the day. currency: needed only where postings have several.
 * Gives  the rows that `costReport` has on these days when it is asked from early enough on; nothing is spread over other days.
 * Fails  CURRENCY_MIXED; PARAMETER_INVALID when the days are not of whole minutes.
 */
export async function dayCosts(
  store: Store,
  days: TimeRange,
  by: readonly ('tenant' | 'endpoint')[],
  currency: string | undefined,
  zone: string,
): Promise<DayCosts> {
  const { columns, documents } = store;
  const range = { fromMs: Math.min(days.fromMs, (await reachBack(store, days)).fromMs), toMs: days.toMs };
  const chosen = currency ?? (await onlyPosted(store, range, days));
  const dimensions: Dimension[] = [...by, 'day'];
  const costs = await sumCosts(
    columns,
    range,
    chosen,
    dimensions,
    await closedPeriods(documents),
    zone,
    undefined,
    days,
  );
  const calls = await callTotals(columns, days, dimensions, zone);
  return { currency: chosen, rows: rowsOf(dimensions, costs, { calls, measured: new Map(), late: null }) };
}

/** The currency in which charges of the days are posted; where there are none, that of the model. */
async function onlyPosted({ columns, documents }: Store, range: TimeRange, days: TimeRange): Promise<string> {
  const rows = await columns.query<{ currency: string }>(
    `SELECT currency FROM postings WHERE charge_start >= toDateTime({from:UInt32}, 'UTC') AND charge_start < toDateTime({to:UInt32}, 'UTC')${CHARGES_TOUCH}
     GROUP BY currency HAVING sum(toInt64(entry)) != 0 ORDER BY currency`,
    { ...secondsOf(range), ...touchParams(days) },
  );
  if (rows.length > 1) throw fail('CURRENCY_MIXED', { currencies: rows.map(({ currency }) => currency).join(', ') });
  return rows[0]?.currency ?? (await modelsInForce(documents)).at(-1)?.spec.currency ?? 'USD';
}
