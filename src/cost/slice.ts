import type { ModelInForce } from './cost-model.ts';
import type { PoolDriver } from './pool.ts';
import { type Rule, rulesOf } from './rule.ts';

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
  readonly driver: PoolDriver | '';
  readonly model: string;
  /** How it is shared out; null where no pool takes it, and of what was posted before. */
  readonly pool: Rule | null;
  readonly amountAtto: bigint;
}

/** A slice of an amount that a model says. */
export function modelSlice(
  model: ModelInForce,
  poolId: string,
  charge: Pick<Slice, 'billingStartMs' | 'billingEndMs' | 'chargeStartMs' | 'chargeEndMs' | 'amountAtto'> &
    Partial<Slice>,
): Slice {
  const rule = rulesOf(model.spec).get(poolId)!;
  return {
    source: FIXED_SOURCE,
    account: '',
    currency: model.spec.currency,
    ...ruled(rule),
    model: model.id,
    ...charge,
  };
}

/** What a slice says of its rule. */
export function ruled(rule: Rule | null): Pick<Slice, 'pool' | 'poolId' | 'kind' | 'driver'> {
  if (rule === null) return { pool: null, poolId: OUT_OF_SCOPE, kind: 'indirect', driver: '' };
  return { pool: rule, poolId: rule.id, kind: rule.kind, driver: rule.driver ?? '' };
}
