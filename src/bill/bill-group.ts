import { hash } from 'node:crypto';
import type { Charge } from './charge.ts';

/** The charges of one (source, account, currency, billing period): what can be compared with an earlier import. */
export interface BillGroup {
  /** Source, account and billing start: what is replaced together. */
  readonly unit: string;
  readonly source: string;
  readonly account: string;
  readonly currency: string;
  readonly billingStartMs: number;
  readonly billingEndMs: number;
  readonly rows: number;
  readonly billedAtto: bigint;
  readonly effectiveAtto: bigint;
  /** Equal exactly when the rows are the same, in whatever order and files they came. */
  readonly fingerprint: string;
}

type Growing = { -readonly [Key in keyof BillGroup]: BillGroup[Key] } & { sum: bigint };

/** Names what is replaced together. JSON, because joining parts with a delimiter collides. */
export function unitOf(source: string, account: string, billingStartMs: number): string {
  return JSON.stringify([source, account, billingStartMs]);
}

/**
 * Adds charges up into groups.
 *
 * Holds  the order of charges makes no difference; sums are exact; two equal rows count twice.
 */
export class BillGroups {
  readonly #groups = new Map<string, Growing>();

  /** Takes a charge and the bytes that say what it is; gives its unit, or null when its billing period ends at another time than its group's. */
  add(charge: Charge, content: Uint8Array): string | null {
    const unit = unitOf(charge.source, charge.account, charge.billingStartMs);
    const key = unit + charge.currency;
    const group = this.#groups.get(key) ?? emptyGroup(charge, unit);
    if (group.billingEndMs !== charge.billingEndMs) return null;
    this.#groups.set(key, group);
    group.rows += 1;
    group.billedAtto += charge.billedAtto;
    group.effectiveAtto += charge.effectiveAtto;
    group.sum = BigInt.asUintN(256, group.sum + BigInt(`0x${hash('sha256', content, 'hex')}`));
    return unit;
  }

  /** The groups in a fixed order: source, account, billing period, currency. */
  finish(): BillGroup[] {
    const sorted = [...this.#groups].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([, { sum, ...group }]) => ({ ...group, fingerprint: fingerprintOf(group.rows, sum) }));
  }
}

function emptyGroup(charge: Charge, unit: string): Growing {
  const { source, account, currency, billingStartMs, billingEndMs } = charge;
  const place = { unit, source, account, currency, billingStartMs, billingEndMs };
  return { ...place, rows: 0, billedAtto: 0n, effectiveAtto: 0n, fingerprint: '', sum: 0n };
}

/** A sum of row hashes instead of a hash of sorted rows: nothing has to be sorted or kept. */
function fingerprintOf(rows: number, sum: bigint): string {
  return hash('sha256', `${rows} ${sum.toString(16)}`, 'hex');
}
