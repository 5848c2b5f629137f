export { type AllocatedSlice, allocate } from './cost.ts';
export { type CostModelSpec, costModelSpec, type ModelInForce, modelsInForce, type Pool } from './cost-model.ts';
export { Int128Column } from './int128.ts';
export { secondsOf } from './queries.ts';
export { accountNumbers, emptyShares, type LedgerAccount, type SliceShares } from './slice-shares.ts';
export { chargeSlices, FIXED_SOURCE, fixedSlices, OUT_OF_SCOPE, type Slice, slicesOf } from './slices.ts';
export { shareOutMany } from './share-out-many.ts';
export { shareOut } from './shares.ts';
export { storedAmount } from './stored-amount.ts';
