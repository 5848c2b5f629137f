import { storedAmount } from '../cost/index.ts';
import { compareUtf8, divideHalfEven, formatMoney } from '../model/index.ts';
import { type CallTotal, callKey } from './call-queries.ts';
import type { LateCalls } from './late-calls.ts';
import type { CostSumRow, Dimension } from './sum-queries.ts';

export interface CostReportRow {
  tenant?: string;
  endpoint?: string;
  pool?: string;
  service?: string;
  day?: string;
  /** Null as of a past date. */
  calls: number | null;
  /** Of them: those that came after their month was closed, less those that went; null where it cannot be said. */
  late: number | null;
  direct: string;
  indirect: string;
  full: string;
  directPerCall: string | null;
  fullPerCall: string | null;
  state: 'rated' | 'provisional' | 'final';
  coverage: { weight: number | null; driver: number | null };
  model: string;
}

/** What is known of the calls of a report; null where it is not. */
export interface CallFacts {
  readonly calls: ReadonlyMap<string, CallTotal> | null;
  readonly measured: ReadonlyMap<string, number> | null;
  readonly late: LateCalls | null;
}

/** Every group with a share or a call, in the order of UTF-8 bytes. */
export function rowsOf(
  by: readonly Dimension[],
  costs: readonly CostSumRow[],
  { calls, measured, late }: CallFacts,
): CostReportRow[] {
  const withCost = new Set(costs.map(callKey));
  const onlyCalls = [...(calls?.values() ?? [])].filter((total) => !withCost.has(callKey(total)));
  const uncosted = onlyCalls.map(
    ({ tenant, endpoint, day }): CostSumRow => ({
      tenant,
      endpoint,
      day,
      pool: '',
      service: '',
      direct: '0',
      indirect: '0',
      models: [],
      is_open: 1,
    }),
  );
  // Calls belong to no pool and no service, so they are no row of their own where only these are asked for.
  const isAboutCalls =
    !by.some((name) => name === 'pool' || name === 'service') || by.includes('tenant') || by.includes('endpoint');
  const rows = [...costs, ...(isAboutCalls ? uncosted : [])];
  rows.sort(
    (a, b) =>
      compareUtf8(a.tenant, b.tenant) ||
      compareUtf8(a.endpoint, b.endpoint) ||
      compareUtf8(a.pool, b.pool) ||
      compareUtf8(a.service, b.service) ||
      compareUtf8(a.day, b.day),
  );
  return rows.map((row) => {
    const key = callKey(row);
    const total = calls?.get(key);
    const isCounted = total !== undefined && total.calls > 0n;
    return {
      ...Object.fromEntries(by.map((name) => [name, row[name]])),
      ...figuresOf(row, calls === null ? null : (total?.calls ?? 0n)),
      late: late?.byGroup === null || late === null ? null : (late.byGroup.get(key) ?? 0),
      coverage: {
        weight: isCounted ? Number(total.known) / Number(total.calls) : null,
        driver: measured === null ? (isCounted ? 1 : null) : (measured.get(key) ?? null),
      },
    };
  });
}

function figuresOf(row: CostSumRow, callsMicro: bigint | null): Omit<CostReportRow, 'coverage' | 'late'> {
  const direct = storedAmount(row.direct);
  const full = direct + storedAmount(row.indirect);
  return {
    calls: callsMicro === null ? null : Number(callsMicro) / 1e6,
    direct: formatMoney(direct),
    indirect: formatMoney(full - direct),
    full: formatMoney(full),
    directPerCall: perCall(direct, callsMicro),
    fullPerCall: perCall(full, callsMicro),
    state: row.is_open ? 'provisional' : 'final',
    model: row.models.join(', '),
  };
}

/** An amount in 10^-18 over calls in 10^-6 is a cost per call in 10^-12: no digit is lost before the one rounding. */
function perCall(amountAtto: bigint, callsMicro: bigint | null): string | null {
  if (callsMicro === null || callsMicro <= 0n) return null;
  const pico = divideHalfEven(amountAtto, callsMicro);
  return formatMoney(pico * 10n ** 6n, 12);
}
