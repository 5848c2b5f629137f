import { activeImports } from '../bill/index.ts';
import { FIXED_SOURCE, modelsInForce, slicesOf } from '../cost/index.ts';
import {
  compareUtf8,
  divideHalfEven,
  fail,
  formatMoney,
  measuredDrivers,
  parseMoney,
  type TimeRange,
} from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { type CallTotal, callTotals, measuredShares } from './call-queries.ts';
import { type CostSumRow, closedPeriods, type Dimension, type LedgerSumRow, sumByPool, sumCosts } from './queries.ts';

export interface Identity {
  readonly bill: string;
  readonly charges: string;
  readonly fixed: string;
  readonly tenants: string;
  readonly idle: string;
  readonly unattributed: string;
  readonly out_of_scope: string;
  readonly residual: string;
}

export interface CostReportRow {
  tenant?: string;
  endpoint?: string;
  pool?: string;
  service?: string;
  calls: number | null;
  direct: string;
  indirect: string;
  full: string;
  directPerCall: string | null;
  fullPerCall: string | null;
  state: 'rated' | 'provisional' | 'final';
  coverage: { weight: number | null; driver: number | null };
  model: string;
}

export interface CostReport {
  readonly currency: string;
  readonly identity: Identity;
  readonly pools: readonly {
    readonly pool: string;
    readonly kind: 'direct' | 'indirect';
    readonly tenants: string;
    readonly idle: string;
    readonly unattributed: string;
    readonly out_of_scope: string;
  }[];
  readonly rows: readonly CostReportRow[];
}

/**
 * Says what calls cost, from the ledger, beside what the bill says.
 *
 * Takes  range: charges and calls that start in it. by: dimensions of the rows. currency: needed only where bills have several.
 * Gives  identity, pools and rows; a residual other than zero means that something was not allocated yet.
 * Fails  CURRENCY_MIXED.
 */
export async function costReport(
  store: Store,
  range: TimeRange,
  by: readonly Dimension[],
  currency?: string,
): Promise<CostReport> {
  const models = await modelsInForce(store.documents);
  const slices = await slicesOf(store.columns, await activeImports(store), models, range);
  const chosen =
    currency ??
    onlyCurrency(
      slices.map((slice) => slice.currency),
      models.at(-1)?.spec.currency,
    );
  const wanted = slices.filter((slice) => slice.currency === chosen);
  const closed = (await closedPeriods(store.documents)).filter((period) => period.currency === chosen);
  const sums = await sumByPool(store.columns, range, chosen);
  const drivers = new Set(wanted.flatMap((slice) => (slice.driver === '' ? [] : [slice.driver])));
  const measured = [...drivers].filter((driver) => measuredDrivers.includes(driver) || driver === 'busy_us');
  const costs = await sumCosts(store.columns, range, chosen, by, closed);
  const calls = await callTotals(store.columns, range, by);
  const coverage = await measuredShares(store.columns, range, by, measured);
  return {
    currency: chosen,
    identity: identityOf(
      sumOf(wanted.filter((slice) => slice.source !== FIXED_SOURCE).map((slice) => slice.amountAtto)),
      sumOf(wanted.filter((slice) => slice.source === FIXED_SOURCE).map((slice) => slice.amountAtto)),
      sums,
    ),
    pools: poolsOf(sums),
    rows: rowsOf(by, costs, calls, coverage),
  };
}

function onlyCurrency(currencies: readonly string[], modelCurrency: string | undefined): string {
  const distinct = [...new Set(currencies)];
  if (distinct.length > 1) throw fail('CURRENCY_MIXED', { currencies: distinct.join(', ') });
  return distinct[0] ?? modelCurrency ?? 'USD';
}

function sumOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

function identityOf(charges: bigint, fixed: bigint, sums: readonly LedgerSumRow[]): Identity {
  const ledger = (name: string) =>
    sumOf(sums.filter((row) => row.ledger === name).map((row) => parseMoney(row.amount).amountAtto));
  const parts = {
    tenants: ledger('tenant'),
    idle: ledger('idle'),
    unattributed: ledger('unattributed'),
    out_of_scope: ledger('out_of_scope'),
  };
  const bill = charges + fixed;
  const residual = bill - parts.tenants - parts.idle - parts.unattributed - parts.out_of_scope;
  const all = { bill, charges, fixed, ...parts, residual };
  return Object.fromEntries(
    Object.entries(all).map(([name, amount]) => [name, formatMoney(amount)]),
  ) as unknown as Identity;
}

function poolsOf(sums: readonly LedgerSumRow[]): CostReport['pools'] {
  const pools = new Map<string, { kind: 'direct' | 'indirect'; amounts: Record<string, string> }>();
  for (const { pool, kind, ledger, amount } of sums) {
    const key = `${pool} ${kind}`;
    const entry = pools.get(key) ?? { kind, amounts: {} };
    entry.amounts[ledger] = formatMoney(parseMoney(amount).amountAtto);
    pools.set(key, entry);
  }
  const zero = formatMoney(0n);
  return [...pools].map(([key, { kind, amounts }]) => ({
    pool: key.slice(0, key.lastIndexOf(' ')),
    kind,
    tenants: amounts.tenant ?? zero,
    idle: amounts.idle ?? zero,
    unattributed: amounts.unattributed ?? zero,
    out_of_scope: amounts.out_of_scope ?? zero,
  }));
}

/** Every group with a share or a call, in the order of UTF-8 bytes. */
function rowsOf(
  by: readonly Dimension[],
  costs: readonly CostSumRow[],
  calls: ReadonlyMap<string, CallTotal>,
  measured: ReadonlyMap<string, number> | null,
): CostReportRow[] {
  const withCost = new Set(costs.map((row) => JSON.stringify([row.tenant, row.endpoint])));
  const onlyCalls = [...calls.values()].filter(
    ({ tenant, endpoint }) => !withCost.has(JSON.stringify([tenant, endpoint])),
  );
  const uncosted = onlyCalls.map(
    ({ tenant, endpoint }): CostSumRow => ({
      tenant,
      endpoint,
      pool: '',
      service: '',
      direct: '0',
      indirect: '0',
      models: [],
      is_open: 1,
    }),
  );
  const rows = [...costs, ...(by.includes('tenant') || by.includes('endpoint') ? uncosted : [])];
  rows.sort(
    (a, b) =>
      compareUtf8(a.tenant, b.tenant) ||
      compareUtf8(a.endpoint, b.endpoint) ||
      compareUtf8(a.pool, b.pool) ||
      compareUtf8(a.service, b.service),
  );
  return rows.map((row) => {
    const key = JSON.stringify([row.tenant, row.endpoint]);
    const total = calls.get(key);
    const direct = parseMoney(row.direct).amountAtto;
    const indirect = parseMoney(row.indirect).amountAtto;
    const callsMicro = total?.calls ?? 0n;
    return {
      ...Object.fromEntries(by.map((name) => [name, row[name]])),
      calls: Number(callsMicro) / 1e6,
      direct: formatMoney(direct),
      indirect: formatMoney(indirect),
      full: formatMoney(direct + indirect),
      directPerCall: perCall(direct, callsMicro),
      fullPerCall: perCall(direct + indirect, callsMicro),
      state: row.is_open ? 'provisional' : 'final',
      coverage: {
        weight: total && total.calls > 0n ? Number(total.known) / Number(total.calls) : null,
        driver: measured === null ? (callsMicro > 0n ? 1 : null) : (measured.get(key) ?? null),
      },
      model: row.models.join(', '),
    };
  });
}

/** An amount in 10^-18 over calls in 10^-6 is a cost per call in 10^-12: no digit is lost before the one rounding. */
function perCall(amountAtto: bigint, callsMicro: bigint): string | null {
  if (callsMicro <= 0n) return null;
  const pico = divideHalfEven(amountAtto, callsMicro);
  return formatMoney(pico * 10n ** 6n, 12);
}
