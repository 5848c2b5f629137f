import { activeImports, inForce } from '../bill/index.ts';
import {
  type CostModelSpec,
  chargeParts,
  modelsInForce,
  OUT_OF_SCOPE,
  type PartDimension,
  storedAmount,
} from '../cost/index.ts';
import { type BillingMonth, formatInstant, formatMoney, grouped, MILLIS_PER_HOUR } from '../model/index.ts';
import type { Store, StoredImport } from '../store/index.ts';
import { billOfRow } from './bill-key.ts';
import { closedPeriods } from './queries.ts';
import { EVER, type Reconciliation, reconcile, unpostedSlices } from './reconcile.ts';

/** Providers deliver up to a day and a half late. */
const STALLED_HOURS = 48;
const MOST_SERVICES = 50;

/** The charges of one part of a month. */
export interface ReconcilePart {
  readonly invoice?: string;
  readonly account?: string;
  readonly service?: string;
  readonly day?: string;
  readonly currency: string;
  readonly rows: number;
  readonly billed: string;
  readonly charges: string;
  /** Of the charges: what the ledger holds as it is now, and what not. */
  readonly matched: string;
  readonly unmatched: string;
  readonly outOfScope: string;
}

/** A service that no pool takes, and what a cost model would say to take it. */
export interface UnscopedService {
  readonly service: string;
  readonly category: string;
  readonly currency: string;
  readonly charges: string;
  readonly modelLine: string;
}

/** Charges of the same time, resource and amount in two bills. */
export interface DoubleCount {
  readonly first: string;
  readonly second: string;
  readonly currency: string;
  readonly rows: number;
  readonly billed: string;
}

export interface ExportAge {
  readonly source: string;
  readonly account: string;
  readonly newestCharge: string;
  readonly imported: string;
  readonly ageHours: number;
  readonly isStalled: boolean;
}

export interface FullReconciliation extends Reconciliation {
  readonly parts: readonly ReconcilePart[];
  readonly outOfScope: readonly UnscopedService[];
  readonly doubles: readonly DoubleCount[];
  readonly exports: readonly ExportAge[];
}

/**
 * Holds the ledger against the bills of a month, part by part, and looks for what is often wrong with bills.
 *
 * Takes  by: what the parts are; none, no parts. now: against which the age of exports is told.
 * Holds  matched + unmatched = charges; without a restatement, the parts add up to the charges of the lines.
 */
export async function reconcileFully(
  store: Store,
  month: BillingMonth,
  by: readonly PartDimension[],
  now: Date,
): Promise<FullReconciliation> {
  const whole = await reconcile(store, month);
  const all = await activeImports(store);
  const imports = all.filter(
    (row) => Number(row.billing_start) >= month.fromMs && Number(row.billing_start) < month.toMs,
  );
  const spec = (await modelsInForce(store.documents)).findLast(({ fromMs }) => fromMs < month.toMs)?.spec;
  return {
    ...whole,
    parts: by.length === 0 ? [] : await partsOf(store, month, imports, by, spec),
    outOfScope: await unscoped(store, imports, spec),
    doubles: await doubleCounts(store, imports),
    exports: await exportAges(store, all, now),
  };
}

async function partsOf(
  store: Store,
  month: BillingMonth,
  imports: readonly StoredImport[],
  by: readonly PartDimension[],
  spec: CostModelSpec | undefined,
): Promise<ReconcilePart[]> {
  const unposted = new Set((await unpostedSlices(store, month)).map(chargeKey));
  const rows = await chargeParts(store.columns, imports, spec, EVER, by);
  const parts = grouped(rows, (row) =>
    JSON.stringify([row.invoice, row.of_account, row.service, row.day, row.currency]),
  );
  return [...parts.values()].map((own) => {
    const [first] = own;
    const sum = (of: 'billed' | 'charges', isCounted: (row: (typeof own)[number]) => boolean = () => true) =>
      formatMoney(own.filter(isCounted).reduce((total, row) => total + storedAmount(row[of]), 0n));
    const isUnposted = (row: (typeof own)[number]) => unposted.size > 0 && unposted.has(chargeKeyOfRow(row));
    const names = { invoice: first!.invoice, account: first!.of_account, service: first!.service, day: first!.day };
    return {
      ...Object.fromEntries(by.map((name) => [name, names[name]])),
      currency: first!.currency,
      rows: own.reduce((total, row) => total + Number(row.n), 0),
      billed: sum('billed'),
      charges: sum('charges'),
      matched: sum('charges', (row) => !isUnposted(row)),
      unmatched: sum('charges', isUnposted),
      outOfScope: sum('charges', (row) => row.pool === OUT_OF_SCOPE),
    };
  });
}

interface Keyed {
  readonly source: string;
  readonly account: string;
  readonly currency: string;
  readonly billingStartMs: number;
  readonly chargeStartMs: number;
  readonly chargeEndMs: number;
  readonly poolId: string;
}

function chargeKey({ source, account, currency, billingStartMs, chargeStartMs, chargeEndMs, poolId }: Keyed): string {
  return JSON.stringify([source, account, currency, billingStartMs, chargeStartMs, chargeEndMs, poolId]);
}

function chargeKeyOfRow(row: Awaited<ReturnType<typeof chargeParts>>[number]): string {
  return chargeKey({
    ...{ source: row.source, account: row.account, currency: row.currency, poolId: row.pool },
    billingStartMs: Number(row.billing_start) * 1000,
    chargeStartMs: Number(row.charge_start) * 1000,
    chargeEndMs: Number(row.charge_end) * 1000,
  });
}

async function unscoped(
  store: Store,
  imports: readonly StoredImport[],
  spec: CostModelSpec | undefined,
): Promise<UnscopedService[]> {
  const rows = await chargeParts(store.columns, imports, spec, EVER, ['service', 'category'], true);
  return rows
    .map((row) => ({ ...row, atto: storedAmount(row.charges) }))
    .filter(({ atto }) => atto !== 0n)
    .sort((a, b) => (magnitude(b.atto) > magnitude(a.atto) ? 1 : -1))
    .slice(0, MOST_SERVICES)
    .map(({ service, category, currency, atto }) => ({
      service,
      category,
      currency,
      charges: formatMoney(atto),
      modelLine: modelLine(service),
    }));
}

/** A pool for a service, as a line of a CostModel document. */
function modelLine(service: string): string {
  const id =
    service
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 100) || 'service';
  const name = `'${service.replaceAll("'", "''")}'`;
  return `- { id: ${id}, kind: direct, match: { ServiceName: ${name} }, driver: calls }`;
}

/** Two names for one bill, or one bill exported in two ways, bring every charge twice. */
async function doubleCounts(store: Store, imports: readonly StoredImport[]): Promise<DoubleCount[]> {
  if (new Set(imports.map(({ source, account }) => JSON.stringify([source, account]))).size < 2) return [];
  const rows = await store.columns.query<{ bills: string[]; currency: string; n: string; of_billed: string }>(
    `SELECT bills, currency, sum(least_n) AS n, sum(amount * least_n) AS of_billed FROM (
      SELECT currency, amount, arraySort(groupArray(bill)) AS bills, min(of_bill) AS least_n FROM (
        SELECT currency, charge_start, charge_end, columns['ResourceId'] AS resource, columns['ChargeCategory'] AS category, billed AS amount,
          concat(source, ' ', account) AS bill, count() AS of_bill
        FROM charges WHERE (${inForce(imports)}) AND billed != 0 AND columns['ResourceId'] != ''
        GROUP BY currency, charge_start, charge_end, resource, category, amount, bill
      ) GROUP BY currency, charge_start, charge_end, resource, category, amount HAVING length(bills) = 2
    ) GROUP BY bills, currency ORDER BY bills, currency`,
  );
  return rows.map(({ bills, currency, n, of_billed }) => ({
    first: bills[0]!,
    second: bills[1]!,
    currency,
    rows: Number(n),
    billed: formatMoney(storedAmount(of_billed)),
  }));
}

/** Of accounts that have a bill which is not closed: one whose bills are all closed is not waited for. */
async function exportAges(store: Store, imports: readonly StoredImport[], now: Date): Promise<ExportAge[]> {
  const closed = new Set((await closedPeriods(store.documents)).map(billOfRow));
  const open = imports.filter((row) => !closed.has(billOfRow(row)));
  if (open.length === 0) return [];
  const rows = await store.columns.query<{ source: string; account: string; newest: number }>(
    `SELECT source, account, toUnixTimestamp(max(charge_end)) AS newest FROM charges WHERE ${inForce(open)} GROUP BY source, account ORDER BY source, account`,
  );
  return rows.map(({ source, account, newest }) => {
    const own = open.filter((row) => row.source === source && row.account === account);
    const ageHours = Math.max(0, (now.getTime() - Number(newest) * 1000) / MILLIS_PER_HOUR);
    const lastEnd = Math.max(...own.map((row) => Number(row.billing_end)));
    return {
      source,
      account,
      newestCharge: formatInstant(Number(newest) * 1000),
      imported: own
        .map((row) => row.imported_at)
        .sort()
        .at(-1)!,
      ageHours: Math.round(ageHours * 10) / 10,
      isStalled: ageHours > STALLED_HOURS && Number(newest) * 1000 < lastEnd,
    };
  });
}

function magnitude(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}
