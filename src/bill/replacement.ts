import { fail, formatInstant, grouped, type Problem } from '../model/index.ts';
import type { StoredImport, StoredPeriod } from '../store/index.ts';
import { type BillGroup, unitOf } from './bill-group.ts';
import { overlappingImports } from './overlap.ts';

/** `restated`: changed although its period is closed; what that makes of its costs is posted in an open one. */
export type UnitStatus = 'new' | 'replaced' | 'restated' | 'unchanged';

/** What one import does to one (source, account, billing start): all of it, or nothing. */
export interface Replacement {
  readonly unit: string;
  readonly status: UnitStatus;
  /** One group per currency. */
  readonly groups: readonly BillGroup[];
  /** The imports that go out of force, among them those of a currency that is no longer there. */
  readonly replaces: readonly StoredImport[];
  /** Of these the ones of another unit, whose period overlaps: another export of the same bill. */
  readonly overlaps: readonly StoredImport[];
}

/** What stands in the way or will be replaced. */
export interface Standing {
  readonly active: readonly StoredImport[];
  readonly closed: readonly StoredPeriod[];
}

/**
 * Decides what an export replaces. Pure.
 *
 * Takes  groups of one whole export; standing: the imports in force and the closed periods; mayShrink: a smaller export is meant.
 * Gives  one replacement per unit, in the order of the groups.
 * Holds  the same content as in force is unchanged, whoever sends it how often; another content of a closed period is restated.
 * Fails  BILL_SMALLER, BILL_OVERLAPS, each naming every group concerned.
 */
export function replacementsOf(groups: readonly BillGroup[], standing: Standing, mayShrink: boolean): Replacement[] {
  const active = byUnit(standing.active);
  const closed = byUnit(standing.closed);
  const units = grouped(groups, (group) => group.unit);
  const elsewhere = standing.active.filter((row) => !units.has(unitOf(row.source, row.account, row.billing_start)));
  const replacements = [...units].map(([unit, parts]) =>
    replacementOf(unit, parts, { same: active.get(unit) ?? [], elsewhere, closed: closed.get(unit) ?? [] }),
  );
  const settled = replacements.flatMap((replacement) => closedOverlaps(replacement, closed));
  if (settled.length > 0) throw fail('BILL_OVERLAPS', { groups: settled.length }, settled);
  const smaller = mayShrink ? [] : replacements.flatMap(smallerParts);
  if (smaller.length > 0) throw fail('BILL_SMALLER', { groups: smaller.length }, smaller);
  const doubled = mayShrink ? [] : replacements.flatMap(overlappingParts);
  if (doubled.length > 0) throw fail('BILL_OVERLAPS', { groups: doubled.length }, doubled);
  return replacements;
}

function replacementOf(
  unit: string,
  groups: readonly BillGroup[],
  before: {
    readonly same: readonly StoredImport[];
    readonly elsewhere: readonly StoredImport[];
    readonly closed: readonly StoredPeriod[];
  },
): Replacement {
  const { same, elsewhere, closed } = before;
  const isSame = groups.length === same.length && groups.every((group) => isSameContent(group, same));
  const overlaps = isSame ? [] : overlappingImports(groups, elsewhere);
  const replaces = [...same, ...overlaps];
  const changed = replaces.length === 0 ? 'new' : isSame ? 'unchanged' : 'replaced';
  const isRestated = closed.some((period) => !isUntouched(period, groups, same));
  return { unit, status: isRestated ? 'restated' : changed, groups, replaces, overlaps };
}

function isSameContent(group: BillGroup, active: readonly StoredImport[]): boolean {
  return active.some((row) => row.currency === group.currency && row.fingerprint === group.fingerprint);
}

function isUntouched({ currency }: StoredPeriod, groups: readonly BillGroup[], replaces: readonly StoredImport[]) {
  const group = groups.find((each) => each.currency === currency);
  return group ? isSameContent(group, replaces) : replaces.every((each) => each.currency !== currency);
}

/** What goes out of force because it overlaps must not be closed either. */
function closedOverlaps({ overlaps }: Replacement, closed: ReadonlyMap<string, readonly StoredPeriod[]>): Problem[] {
  return overlaps.flatMap(({ source, account, currency, billing_start }) => {
    const periods = closed.get(unitOf(source, account, billing_start)) ?? [];
    if (periods.every((period) => period.currency !== currency)) return [];
    return [{ message: `${placeOf(source, account, currency, billing_start)} is closed and overlaps this export` }];
  });
}

function overlappingParts({ groups, overlaps }: Replacement): Problem[] {
  return overlaps.map(({ source, account, currency, billing_start }) => {
    const [ours] = groups;
    const theirs = placeOf(source, account, currency, billing_start);
    return { message: `${theirs} is in force and overlaps ${ours!.source} ${formatInstant(ours!.billingStartMs)}` };
  });
}

function smallerParts({ groups, replaces, overlaps }: Replacement): Problem[] {
  const same = replaces.filter((row) => !overlaps.includes(row));
  return same.flatMap(({ source, account, currency, billing_start, row_count }) => {
    const rows = groups.find((group) => group.currency === currency)?.rows ?? 0;
    if (rows >= row_count) return [];
    const place = placeOf(source, account, currency, billing_start);
    return [{ message: `${place} would have ${rows} rows instead of ${row_count}` }];
  });
}

/** Names a group for people: source, account, currency, billing start. */
export function placeOf(source: string, account: string, currency: string, billingStartMs: number): string {
  return `${source} ${account} ${currency} billing period ${formatInstant(billingStartMs)}`;
}

interface Placed {
  readonly source: string;
  readonly account: string;
  readonly billing_start: number;
}

function byUnit<Row extends Placed>(rows: readonly Row[]): Map<string, Row[]> {
  return grouped(rows, (row) => unitOf(row.source, row.account, row.billing_start));
}
