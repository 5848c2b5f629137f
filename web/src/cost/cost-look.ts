import type { Basis, CostView } from './cost-search.ts';

/** One way of looking at the rows of a cost answer. */
export interface CostLook {
  readonly view: CostView;
  readonly basis: Basis;
  readonly per: 1n | 1000n;
  readonly isExact: boolean;
  readonly currency: string;
}
