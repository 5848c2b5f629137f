export { type BillImportOptions, importBill } from './bill.ts';
export { type CheckReport, type CheckRule, checkRules, type Finding } from './bill-check.ts';
export { checkExport, type ExportReport } from './check-export.ts';
export { convertAmount, convertParts } from './convert.ts';
export {
  type Conversion,
  type CurrencyRatesSpec,
  conversionOf,
  currencyRatesSpec,
  readRates,
} from './currency-rates.ts';
export { type DirtCounts, type DirtKind, dirtKinds } from './dirt.ts';
export { finerCharges } from './finer-charges.ts';
export { plainColumns } from './formats/plain-csv.ts';
export { type BillFormat, billFormats } from './formats/translation.ts';
export type { BillImportSummary, GroupSummary } from './import-summary.ts';
export { activeImports, chargesInForce, inForce } from './queries.ts';
export type { Progress, ReadFile } from './read-bill.ts';
export type { UnitStatus } from './replacement.ts';
export type { ServiceTotal } from './service-totals.ts';
export { type ShownBill, shownBills, shownReport } from './shown-bills.ts';
export type { BillFile } from './table.ts';
