import { activeImports } from '../bill/index.ts';
import { modelsInForce, type RatedRow, type Slice, slicesOf, storedAmount } from '../cost/index.ts';
import { compareUtf8, formatInstant, formatMoney, grouped, MILLIS_PER_MINUTE, type TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { callKey, callTotals } from './call-queries.ts';
import type { CostReport } from './cost-report.ts';
import type { CostReportRow } from './cost-rows.ts';
import { ratedPart } from './rated-part.ts';
import { type Calibration, calibration } from './rates.ts';
import type { EstimatedRow } from './standard-errors.ts';
import type { Dimension } from './sum-queries.ts';

/** What rates say beside the ledger. */
export interface RatedAmounts {
  readonly direct: string;
  readonly indirect: string;
  readonly full: string;
}

/** How much of an answer is in one state. */
export interface StateShare {
  readonly calls: number;
  readonly full: string;
}

export interface RatedSummary extends RatedAmounts {
  /** What the rates are: a document's version, or the closed month that they come from. */
  readonly card: string;
  readonly origin: 'document' | 'derived';
  readonly from: string;
  readonly to: string;
  /** Of calls that nobody is known for. */
  readonly unattributed: string;
  readonly calibration: Calibration;
}

export interface CostStates {
  readonly rows: readonly (EstimatedRow & { readonly rated: RatedAmounts | null })[];
  readonly rated: RatedSummary | null;
  /** Null where rows are not about calls, and as of a past date. */
  readonly states: Readonly<Record<CostReportRow['state'], StateShare>> | null;
}

/**
 * Adds to a cost report what live work costs at the rates in force where there is no bill yet, and how much of it is in which state.
 *
 * Takes  report: of the same range and dimensions. now: work after it is not there yet; null: nothing is rated, as of a past date.
 * Holds  amounts of the ledger stay as they are: what is rated stands beside them. A row with a rated part is rated, the weakest state.
 */
export async function costStates(
  store: Store,
  report: CostReport,
  range: TimeRange,
  by: readonly Dimension[],
  now: Date | null,
): Promise<CostStates> {
  const part =
    now && (await ratedPart(store, range, await slicesIn(store, report.currency, range), report.currency, now));
  const isAboutCalls = by.every((name) => name === 'tenant' || name === 'endpoint');
  const ratedRange = part && wholeMinutes(part.range);
  const ratedCalls = isAboutCalls && ratedRange ? await callTotals(store.columns, ratedRange, by, 'UTC') : new Map();
  const rows = withRated(report.rows, isAboutCalls && part ? part.rows : [], by);
  return {
    rows,
    rated: part && {
      ...{ card: part.card.id, origin: part.card.origin },
      ...{ from: formatInstant(part.range.fromMs), to: formatInstant(part.range.toMs) },
      ...amountsOf(part.rows.filter(({ tenant }) => tenant !== '')),
      unattributed: amountsOf(part.rows.filter(({ tenant }) => tenant === '')).full,
      calibration: await calibration(store, report.currency),
    },
    states:
      isAboutCalls && now
        ? sharesOf(report.rows, rows, (row) => Number(ratedCalls.get(keyOf(row))?.calls ?? 0n) / 1e6)
        : null,
  };
}

async function slicesIn(store: Store, asked: string, range: TimeRange): Promise<Slice[]> {
  const models = await modelsInForce(store.documents);
  const slices = await slicesOf(store.columns, await activeImports(store), models, range);
  return slices.filter(({ currency }) => currency === asked);
}

function withRated(rows: readonly EstimatedRow[], rated: readonly RatedRow[], by: readonly Dimension[]) {
  const byKey = grouped(
    rated.filter(({ tenant }) => tenant !== ''),
    ({ tenant, endpoint }) =>
      keyOf({ ...(by.includes('tenant') && { tenant }), ...(by.includes('endpoint') && { endpoint }) }),
  );
  const known = rows.map((row) => {
    const own = byKey.get(keyOf(row));
    byKey.delete(keyOf(row));
    return own ? { ...row, rated: amountsOf(own), state: 'rated' as const } : { ...row, rated: null };
  });
  // Work of calls that began before the range.
  const others = [...byKey.values()].map((own) => ({ ...emptyRow(own[0]!, by), rated: amountsOf(own) }));
  const order = (a: CostReportRow, b: CostReportRow) =>
    compareUtf8(a.tenant ?? '', b.tenant ?? '') || compareUtf8(a.endpoint ?? '', b.endpoint ?? '');
  return others.length === 0 ? known : [...known, ...others].sort(order);
}

function emptyRow({ tenant, endpoint }: RatedRow, by: readonly Dimension[]): EstimatedRow {
  const zero = formatMoney(0n);
  return {
    ...(by.includes('tenant') && { tenant }),
    ...(by.includes('endpoint') && { endpoint }),
    ...{
      calls: 0,
      late: 0,
      direct: zero,
      indirect: zero,
      full: zero,
      directPerCall: null,
      fullPerCall: null,
      state: 'rated',
      model: '',
    },
    coverage: { weight: null, driver: null },
    standardError: null,
  };
}

function amountsOf(rows: readonly RatedRow[]): RatedAmounts {
  const sum = (kind: RatedRow['kind']) =>
    rows.reduce((total, row) => (row.kind === kind ? total + row.amountAtto : total), 0n);
  const [direct, indirect] = [sum('direct'), sum('indirect')];
  return { direct: formatMoney(direct), indirect: formatMoney(indirect), full: formatMoney(direct + indirect) };
}

function sharesOf(
  before: readonly EstimatedRow[],
  rows: CostStates['rows'],
  ratedCalls: (row: CostReportRow) => number,
): Record<CostReportRow['state'], StateShare> {
  const sums = { rated: { calls: 0, full: 0n }, provisional: { calls: 0, full: 0n }, final: { calls: 0, full: 0n } };
  for (const row of before) {
    const late = ratedCalls(row);
    sums[row.state].calls += (row.calls ?? 0) - late;
    sums[row.state].full += storedAmount(row.full);
    sums.rated.calls += late;
  }
  for (const { rated } of rows) sums.rated.full += storedAmount(rated?.full ?? '0');
  const shown = ({ calls, full }: { calls: number; full: bigint }) => ({
    calls: Math.round(calls * 1e6) / 1e6,
    full: formatMoney(full),
  });
  return { rated: shown(sums.rated), provisional: shown(sums.provisional), final: shown(sums.final) };
}

function keyOf({ tenant = '', endpoint = '' }: { readonly tenant?: string; readonly endpoint?: string }): string {
  return callKey({ tenant, endpoint, day: '' });
}

/** Calls are counted by the minute: the minute in which rating begins or ends counts whole. */
function wholeMinutes({ fromMs, toMs }: TimeRange): TimeRange {
  return {
    fromMs: Math.floor(fromMs / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE,
    toMs: Math.ceil(toMs / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE,
  };
}
