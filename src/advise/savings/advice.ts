import { formatMoney, type TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import { type Choice, patternsReport, type Standing, savedOf, type Waste } from '../../usage/index.ts';

/** What calls of a time cost by tenant and endpoint; null where it is not known. Given by who knows money. */
export interface CallCosts {
  readonly currency: string;
  /** Direct cost of so many calls, in millionths: what fewer of them would save. */
  costOf(tenant: string, endpoint: string, callsMicro: bigint): bigint | null;
}

/** Gives null where no call of the range has a cost. */
export type CostsOfCalls = (range: TimeRange) => Promise<CallCosts | null>;

export interface AdviceRow {
  readonly tenant: string;
  readonly kind: Waste['kind'];
  /** Of `composite` its steps, with ` > ` between them. */
  readonly endpoint: string;
  readonly consumers: number;
  readonly calls: number;
  readonly savedCalls: number;
  /** Of the calls looked at for it. */
  readonly savedShare: number;
  /** Decimal text; null where it is not known what these calls cost. */
  readonly savedCost: string | null;
  readonly currency: string | null;
  readonly certainty: Waste['certainty'];
  readonly evidence: string;
}

export interface AdviceReport extends Standing {
  readonly calls: number;
  readonly looked: { readonly from: string; readonly to: string };
  readonly isCut: boolean;
  readonly rows: readonly AdviceRow[];
}

/**
 * Says which calls tenants could do without, and what these cost.
 *
 * Gives  rows, those that save most calls first. What a call costs is its direct cost over the range: fewer calls do not save people.
 * Holds  what is not known to cost anything is null, never 0.
 * Fails  RANGE_DROPPED where single calls of the range were let go; CURRENCY_MIXED.
 */
export async function adviceReport(
  store: Store,
  { range, only, costs }: { readonly range: TimeRange; readonly only: Choice; readonly costs: CostsOfCalls },
  now: Date,
): Promise<AdviceReport> {
  const { rows, ...facts } = await patternsReport(store, { range, only }, now);
  const known = rows.length === 0 ? null : await costs(range);
  return { ...facts, rows: rows.map((waste) => rowOf(waste, known)) };
}

function rowOf(waste: Waste, costs: CallCosts | null): AdviceRow {
  const { tenant, kind, endpoints, consumers, micro, certainty, evidence } = waste;
  const saved = savedOf(waste);
  const cost = costs === null ? null : costOf(waste, costs);
  return {
    ...{ tenant, kind, endpoint: endpoints.join(' > '), consumers },
    ...{ calls: Number(micro) / 1e6, savedCalls: Number(saved) / 1e6 },
    savedShare: micro > 0n ? Number(saved) / Number(micro) : 0,
    ...{ savedCost: cost === null ? null : formatMoney(cost), currency: cost === null ? null : costs!.currency },
    ...{ certainty, evidence },
  };
}

/** Of several endpoints all must be known: a part of the cost is not the cost. */
function costOf({ tenant, saved }: Waste, costs: CallCosts): bigint | null {
  let sum = 0n;
  for (const { endpoint, micro } of saved) {
    const part = costs.costOf(tenant, endpoint, micro);
    if (part === null) return null;
    sum += part;
  }
  return sum;
}
