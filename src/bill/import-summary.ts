import { formatInstant, formatMoney } from '../model/index.ts';
import type { StoredImport } from '../store/index.ts';
import type { CheckReport } from './bill-check.ts';
import type { BillGroup } from './bill-group.ts';
import { type DirtCounts, dirtKinds } from './dirt.ts';
import type { BillFormat } from './formats/translation.ts';
import type { ReadBill, ReadFile } from './read-bill.ts';
import { placeOf, type Replacement, type UnitStatus } from './replacement.ts';
import type { CategoryTotal, ServiceTotal } from './service-totals.ts';

/** What an import did to one (source, account, currency, billing period). Money as decimal strings with 18 decimals. */
export interface GroupSummary {
  readonly source: string;
  readonly account: string;
  readonly currency: string;
  readonly billingStart: string;
  readonly billingEnd: string;
  readonly rows: number;
  readonly billed: string;
  readonly effective: string;
  readonly status: UnitStatus;
  /** What was in force before; null where nothing was. */
  readonly previousBilled: string | null;
  readonly previousEffective: string | null;
}

/** The outcome of an import, ready to be shown or written as JSON. */
export interface BillImportSummary {
  readonly files: readonly ReadFile[];
  readonly rows: number;
  readonly format: BillFormat;
  /** Amounts that were finer than 10^-18. */
  readonly rounded: number;
  readonly notes: readonly string[];
  readonly groups: readonly GroupSummary[];
  /** The 50 largest by effective cost. */
  readonly byService: readonly ServiceTotal[];
  readonly byCategory: readonly CategoryTotal[];
  /** The export held against the rules of FOCUS. */
  readonly check: CheckReport;
  readonly dirt: DirtCounts;
}

export function summaryOf(
  bill: ReadBill,
  replacements: readonly Replacement[],
  active: readonly StoredImport[],
  formats: ReadonlyMap<string, string>,
): BillImportSummary {
  return {
    files: bill.files,
    rows: bill.rows,
    format: bill.format,
    rounded: bill.dirt.rounded ?? 0,
    notes: [
      ...readingNotes(bill),
      ...replacements.flatMap((each) => [
        ...goneNotes(each),
        ...formatNotes(each, bill.format, formats),
        ...overlapNotes(each, active),
      ]),
    ],
    groups: replacements.flatMap((each) => each.groups.map((group) => groupSummary(group, each))),
    byService: bill.byService,
    byCategory: bill.byCategory,
    check: bill.check,
    dirt: bill.dirt,
  };
}

function groupSummary(group: BillGroup, { status, replaces }: Replacement): GroupSummary {
  // An overlapping bill comes after the one of the same place.
  const previous = replaces.find((row) => row.currency === group.currency);
  return {
    source: group.source,
    account: group.account,
    currency: group.currency,
    billingStart: formatInstant(group.billingStartMs),
    billingEnd: formatInstant(group.billingEndMs),
    rows: group.rows,
    billed: formatMoney(group.billedAtto),
    effective: formatMoney(group.effectiveAtto),
    status,
    previousBilled: previous?.billed ?? null,
    previousEffective: previous?.effective ?? null,
  };
}

function readingNotes(bill: ReadBill): string[] {
  const absent = [...bill.absent].map((column) => `the column ${column} is absent; BilledCost stands in for it`);
  const empty = bill.rows === 0 ? ['the export has no rows; nothing was changed'] : [];
  const dirt = Object.entries(bill.dirt) as [keyof typeof dirtKinds, number][];
  return [...empty, ...bill.notes, ...absent, ...dirt.map(([kind, count]) => `${dirtKinds[kind]}: ${count}`)];
}

function goneNotes({ groups, replaces, overlaps }: Replacement): string[] {
  const out = overlaps.map(
    (row) =>
      `${placeOf(row.source, row.account, row.currency, row.billing_start)} overlaps this export and is out of force`,
  );
  return [
    ...out,
    ...currencyNotes(
      groups,
      replaces.filter((row) => !overlaps.includes(row)),
    ),
  ];
}

function currencyNotes(groups: readonly BillGroup[], replaces: Replacement['replaces']): string[] {
  const gone = replaces.filter((row) => groups.every((group) => group.currency !== row.currency));
  return gone.map(
    (row) => `${placeOf(row.source, row.account, row.currency, row.billing_start)} is no longer in the export`,
  );
}

/** The same month from another kind of export: it is resolved by replacing, and that is worth a line. */
function formatNotes(
  { status, replaces }: Replacement,
  format: string,
  formats: ReadonlyMap<string, string>,
): string[] {
  if (status !== 'replaced') return [];
  return replaces.flatMap((row) => {
    const before = formats.get(row.import_id) ?? format;
    const place = placeOf(row.source, row.account, row.currency, row.billing_start);
    return before === format ? [] : [`${place} came as ${before} before and comes as ${format} now`];
  });
}

/**
 * The same account billed for overlapping periods, or under another source name, is mostly one bill exported in two ways, which
 * would count double: FOCUS 1.3 renamed the provider column, and a time zone can shift a period.
 */
function overlapNotes({ status, groups }: Replacement, active: readonly StoredImport[]): string[] {
  if (status !== 'new') return [];
  return groups.flatMap((group) => {
    const others = active.filter((row) => row.account === group.account && row.currency === group.currency);
    const overlapping = others.filter(
      (row) => row.billing_start < group.billingEndMs && row.billing_end > group.billingStartMs,
    );
    return overlapping.map((row) => {
      const theirs = placeOf(row.source, row.account, row.currency, row.billing_start);
      return `${theirs} overlaps ${group.source} ${formatInstant(group.billingStartMs)}; both are in force`;
    });
  });
}
