import type { StoredImport } from '../store/index.ts';
import type { BillGroup } from './bill-group.ts';

/** Names under which one provider appears in its own exports. */
const families: readonly (readonly [family: string, names: RegExp])[] = [
  ['aws', /^(aws|amazon|amazon web services\b.*)$/i],
  ['google', /^(gcp|google|google cloud\b.*)$/i],
  ['microsoft', /^(azure|microsoft\b.*)$/i],
  ['oracle', /^(oci|oracle\b.*)$/i],
];

function familyOf(source: string): string {
  return families.find(([, names]) => names.test(source))?.[0] ?? source;
}

/**
 * Finds imports that bill the same account of the same provider for an overlapping period, but not for the same one: an export
 * that names its provider in another way, or whose months begin at another hour. Both in force would count double. Pure.
 *
 * Takes  groups of one unit; elsewhere: imports in force of units that this export does not replace by itself.
 * From   FOCUS 1.3 renamed the provider column; vendors write AWS and Amazon Web Services.
 */
export function overlappingImports(groups: readonly BillGroup[], elsewhere: readonly StoredImport[]): StoredImport[] {
  return elsewhere.filter((row) =>
    groups.some(
      (group) =>
        row.account === group.account &&
        row.currency === group.currency &&
        familyOf(row.source) === familyOf(group.source) &&
        row.billing_start < group.billingEndMs &&
        row.billing_end > group.billingStartMs,
    ),
  );
}
