import type { TimeRange } from '../model/index.ts';
import type { ColumnStore, StoredImport } from '../store/index.ts';
import type { ModelInForce } from './cost-model.ts';
import { feeSlices } from './fees.ts';
import { fixedCharges } from './fixed-charges.ts';
import { meteredSlices } from './metered.ts';
import { type ChargeSumRow, sumCharges } from './queries.ts';
import { rulesOf } from './rule.ts';
import { modelSlice, ruled, type Slice } from './slice.ts';
import { storedAmount } from './stored-amount.ts';

/**
 * Lists what there is to share out: charges in force, and what models say themselves, that start in a range, under the models of their time.
 *
 * Takes  models: stretches without overlap. imports: the bills in force.
 * Gives  slices ordered by charge period.
 */
export async function slicesOf(
  columns: ColumnStore,
  imports: readonly StoredImport[],
  models: readonly ModelInForce[],
  range: TimeRange,
): Promise<Slice[]> {
  const slices = [
    ...(await chargeSlices(columns, imports, models, range)),
    ...(await modelSlices(columns, models, range)),
  ];
  return slices.sort((a, b) => a.chargeStartMs - b.chargeStartMs || a.chargeEndMs - b.chargeEndMs);
}

/** The part of `slicesOf` that comes from bills. */
export async function chargeSlices(
  columns: ColumnStore,
  imports: readonly StoredImport[],
  models: readonly ModelInForce[],
  range: TimeRange,
): Promise<Slice[]> {
  const slices: Slice[] = [];
  for (const model of withBeginning(models)) {
    const stretch = { fromMs: Math.max(range.fromMs, model.fromMs), toMs: Math.min(range.toMs, model.toMs) };
    if (stretch.fromMs >= stretch.toMs) continue;
    for (const row of await sumCharges(columns, imports, model, stretch)) slices.push(sliceOfCharges(row, model));
  }
  return slices;
}

/**
 * The part of `slicesOf` that is on no bill: fixed amounts, people, one-off costs, fees of calls, priced meters.
 *
 * Takes  measured: where fees and meters are looked for, which cost a question each; none: the whole range.
 */
export async function modelSlices(
  columns: ColumnStore,
  models: readonly ModelInForce[],
  range: TimeRange,
  measured: TimeRange = range,
): Promise<Slice[]> {
  return [
    ...fixedSlices(models, range),
    ...(await feeSlices(columns, models, measured)),
    ...(await meteredSlices(columns, models, measured)),
  ];
}

/** The part of `modelSlices` that nothing has to be measured for. Pure. */
function fixedSlices(models: readonly ModelInForce[], range: TimeRange): Slice[] {
  return models.flatMap((model) =>
    fixedCharges(model, range).map(({ pool, ...charge }) => modelSlice(model, pool.id, charge)),
  );
}

/** Before the first model nothing is in scope; the charges are there all the same. */
function withBeginning(models: readonly ModelInForce[]): ModelInForce[] {
  const { currency = '', basis = 'effective' } = models[0]?.spec ?? {};
  const toMs = models[0]?.fromMs ?? Number.MAX_SAFE_INTEGER;
  const nothing = { currency, basis, pools: [] };
  return [{ id: '', fromMs: Number.MIN_SAFE_INTEGER, toMs, spec: nothing, meters: new Map() }, ...models];
}

function sliceOfCharges(row: ChargeSumRow, model: ModelInForce): Slice {
  const pool = model.spec.pools[row.pool];
  const rule = pool ? rulesOf(model.spec).get(pool.id)! : null;
  return {
    source: row.source,
    account: row.account,
    currency: row.currency,
    billingStartMs: Number(row.billing_start) * 1000,
    billingEndMs: Number(row.billing_end) * 1000,
    chargeStartMs: Number(row.charge_start) * 1000,
    chargeEndMs: Number(row.charge_end) * 1000,
    ...ruled(rule),
    model: model.id,
    amountAtto: storedAmount(row.amount),
  };
}
