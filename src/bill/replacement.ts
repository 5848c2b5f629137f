import { fail, formatInstant, type Problem } from '../model/index.ts';
import type { StoredImport, StoredPeriod } from '../store/index.ts';
import { type BillGroup, unitOf } from './bill-group.ts';

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
 * Fails  BILL_SMALLER, naming every group concerned.
 */
export function replacementsOf(groups: readonly BillGroup[], standing: Standing, mayShrink: boolean): Replacement[] {
  const active = byUnit(standing.active);
  const closed = byUnit(standing.closed);
  const replacements = [...byKey(groups, (group) => group.unit)].map(([unit, parts]) =>
    replacementOf(unit, parts, active.get(unit) ?? [], closed.get(unit) ?? []),
  );
  const smaller = mayShrink ? [] : replacements.flatMap(smallerParts);
  if (smaller.length > 0) throw fail('BILL_SMALLER', { groups: smaller.length }, smaller);
  return replacements;
}

function replacementOf(
  unit: string,
  groups: readonly BillGroup[],
  replaces: readonly StoredImport[],
  closed: readonly StoredPeriod[],
): Replacement {
  const isSame = groups.length === replaces.length && groups.every((group) => isSameContent(group, replaces));
  const changed = replaces.length === 0 ? 'new' : isSame ? 'unchanged' : 'replaced';
  const isRestated = closed.some((period) => !isUntouched(period, groups, replaces));
  return { unit, status: isRestated ? 'restated' : changed, groups, replaces };
}

function isSameContent(group: BillGroup, active: readonly StoredImport[]): boolean {
  return active.some((row) => row.currency === group.currency && row.fingerprint === group.fingerprint);
}

function isUntouched({ currency }: StoredPeriod, groups: readonly BillGroup[], replaces: readonly StoredImport[]) {
  const group = groups.find((each) => each.currency === currency);
  return group ? isSameContent(group, replaces) : replaces.every((each) => each.currency !== currency);
}

function smallerParts({ groups, replaces }: Replacement): Problem[] {
  return replaces.flatMap(({ source, account, currency, billing_start, row_count }) => {
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
  return byKey(rows, (row) => unitOf(row.source, row.account, row.billing_start));
}

function byKey<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
