export { type BillImportOptions, importBill } from './bill.ts';
export { type DirtCounts, type DirtKind, dirtKinds } from './dirt.ts';
export type { BillImportSummary, GroupSummary } from './import-summary.ts';
export { activeImports, chargesInForce, inForce } from './queries.ts';
export type { BillFormat, ReadFile } from './read-bill.ts';
export type { UnitStatus } from './replacement.ts';
export type { ServiceTotal } from './service-totals.ts';
export type { BillFile } from './table.ts';
export { createUnzstd } from './unzstd.ts';
