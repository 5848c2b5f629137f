import type { Driver, TimeRange } from '../model/index.ts';
import type { ColumnStore, StoredImport } from '../store/index.ts';
import type { ModelInForce, Pool } from './cost-model.ts';
import { fixedCharges } from './fixed-charges.ts';
import { type ChargeSumRow, sumCharges } from './queries.ts';
import { storedAmount } from './stored-amount.ts';

/** The name of the source of fixed amounts. */
export const FIXED_SOURCE = 'fixed';
/** The pool of charges that no pool takes. */
export const OUT_OF_SCOPE = 'out_of_scope';

/** What is shared out at once: one pool's charges of one bill in one charge period. */
export interface Slice {
  readonly source: string;
  readonly account: string;
  readonly currency: string;
  readonly billingStartMs: number;
  readonly billingEndMs: number;
  readonly chargeStartMs: number;
  readonly chargeEndMs: number;
  readonly poolId: string;
  readonly kind: 'direct' | 'indirect';
  readonly driver: Driver | '';
  readonly model: string;
  readonly pool: Pool | null;
  readonly amountAtto: bigint;
}

/**
 * Lists what there is to share out: charges in force and fixed amounts that start in a range, under the models of their time.
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
  const slices = [...(await chargeSlices(columns, imports, models, range)), ...fixedSlices(models, range)];
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

/** The part of `slicesOf` that comes from the models themselves. Pure. */
export function fixedSlices(models: readonly ModelInForce[], range: TimeRange): Slice[] {
  return models.flatMap((model) =>
    fixedCharges(model, range).map(({ pool, ...charge }) => ({
      source: FIXED_SOURCE,
      account: '',
      currency: model.spec.currency,
      ...charge,
      ...rule(pool),
      model: model.id,
    })),
  );
}

/** Before the first model nothing is in scope; the charges are there all the same. */
function withBeginning(models: readonly ModelInForce[]): ModelInForce[] {
  const { currency = '', basis = 'effective' } = models[0]?.spec ?? {};
  const toMs = models[0]?.fromMs ?? Number.MAX_SAFE_INTEGER;
  return [{ id: '', fromMs: Number.MIN_SAFE_INTEGER, toMs, spec: { currency, basis, pools: [] } }, ...models];
}

function sliceOfCharges(row: ChargeSumRow, model: ModelInForce): Slice {
  const pool = model.spec.pools[row.pool] ?? null;
  return {
    source: row.source,
    account: row.account,
    currency: row.currency,
    billingStartMs: Number(row.billing_start) * 1000,
    billingEndMs: Number(row.billing_end) * 1000,
    chargeStartMs: Number(row.charge_start) * 1000,
    chargeEndMs: Number(row.charge_end) * 1000,
    ...rule(pool),
    model: model.id,
    amountAtto: storedAmount(row.amount),
  };
}

function rule(pool: Pool | null): Pick<Slice, 'pool' | 'poolId' | 'kind' | 'driver'> {
  if (pool === null) return { pool, poolId: OUT_OF_SCOPE, kind: 'indirect', driver: '' };
  return { pool, poolId: pool.id, kind: pool.kind, driver: pool.driver };
}
