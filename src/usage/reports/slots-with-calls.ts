import type { TimeRange } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import { cutFor, SLOT_MS } from '../rollups/cuts.ts';
import type { Choice, Dimension } from '../sums/dimensions.ts';

const SLOT_SECONDS = SLOT_MS / 1000;

export interface SlotWithCalls extends TimeRange {
  readonly calls: number;
}

/**
 * Says in which quarters of an hour of a range there can be calls of a choice, newest first: where to look, instead of everywhere.
 *
 * Holds  every call of the choice is in one of them.
 */
export async function slotsWithCalls(columns: ColumnStore, range: TimeRange, only: Choice): Promise<SlotWithCalls[]> {
  const { consumer, tenant, endpoint } = only;
  const isNarrow = consumer !== undefined || (tenant !== undefined && endpoint !== undefined);
  const params = {
    first: Math.floor(range.fromMs / SLOT_MS) * SLOT_SECONDS,
    end: Math.ceil(range.toMs / SLOT_MS) * SLOT_SECONDS,
    ...Object.fromEntries(Object.entries({ consumer, tenant, endpoint }).filter(([, values]) => values !== undefined)),
  };
  const rows = await columns.query<{ at: string; n: string }>(isNarrow ? fromMinutes(only) : fromRollup(only), params);
  return rows.map(({ at, n }) => ({
    fromMs: Number(at) * 1000,
    toMs: Number(at) * 1000 + SLOT_MS,
    calls: Number(n) / 1e6,
  }));
}

function chosen(only: Choice, names: readonly Dimension[]): string[] {
  return names.filter((name) => only[name] !== undefined).map((name) => `${name} IN ({${name}:Array(String)})`);
}

function fromRollup(only: Choice): string {
  const names = (['tenant', 'endpoint'] as const).filter((name) => only[name] !== undefined);
  const cut = cutFor('slot', new Set(names))!;
  const where = [`marker = 0 AND cut = ${cut.id}`, ...chosen(only, names)];
  return `SELECT toUnixTimestamp(slot) AS at, sum(calls) AS n FROM usage_rollup WHERE ${where.join(' AND ')}
      AND day >= toDate(toDateTime({first:UInt32}, 'UTC')) AND day <= toDate(toDateTime({end:UInt32}, 'UTC'))
      AND slot >= toDateTime({first:UInt32}, 'UTC') AND slot < toDateTime({end:UInt32}, 'UTC')
    GROUP BY at HAVING n != 0 ORDER BY at DESC`;
}

/** A few rows of many: minutes are ordered by tenant, and which tenants a consumer is of, days know. */
function fromMinutes(only: Choice): string {
  const tenants =
    only.tenant === undefined
      ? [
          `tenant IN (SELECT tenant FROM usage_rollup WHERE marker = 0 AND cut = ${cutFor('day', new Set(['consumer']))!.id} AND consumer IN ({consumer:Array(String)}))`,
        ]
      : [];
  const where = ['marker = 0', ...tenants, ...chosen(only, ['tenant', 'endpoint', 'consumer'])];
  return `SELECT intDiv(toUnixTimestamp(minute), ${SLOT_SECONDS}) * ${SLOT_SECONDS} AS at, sum(calls) AS n FROM usage_minute WHERE ${where.join(' AND ')}
      AND minute >= toDateTime({first:UInt32}, 'UTC') AND minute < toDateTime({end:UInt32}, 'UTC')
    GROUP BY at HAVING n != 0 ORDER BY at DESC`;
}
