/** What real exports get wrong and the import puts right; counted, shown, never an error. */
export const dirtKinds = {
  nullWord: 'values written NULL, (null) or \\N',
  valueCase: 'values of a closed list in another case',
  unknownCategory: 'charge categories that FOCUS does not know',
  noZone: 'times without a zone, taken as UTC',
  subSecond: 'times finer than a second, cut off',
  emptyChargePeriod: 'charges whose period ends when it begins',
  headerName: 'column names in another case or with spaces',
  strayColumn: 'columns that are neither FOCUS nor x_ columns',
  repeatedColumn: 'columns that appear twice; the first one counts',
  tagKeySpace: 'tag keys with spaces around them',
  tagsUnreadable: 'tags that are not JSON, kept as text only',
  negativeUsage: 'usage rows with a negative cost',
  exponent: 'amounts written with an exponent',
  rounded: 'amounts finer than 10^-18, rounded half-even',
  listCostMissing: 'rows without ListCost, taken as BilledCost',
  contractedCostMissing: 'rows without ContractedCost, taken as BilledCost',
  providerMissing: 'rows that name no provider',
  splitRow: 'rows that split the cost of another row over containers, left out because that row counts',
  unknownLineItemType: 'line items of an unknown type, taken at their unblended cost',
} as const;

export type DirtKind = keyof typeof dirtKinds;

/** Counts of dirt by kind; a kind that did not occur is absent. */
export type DirtCounts = Partial<Record<DirtKind, number>>;

export function countDirt(counts: DirtCounts, kind: DirtKind, times = 1): void {
  counts[kind] = (counts[kind] ?? 0) + times;
}
