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

type Growing = { -readonly [Key in keyof BillGroup]: BillGroup[Key] } & { readonly words: Float64Array };

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
  #last: Growing | null = null;

  /** Takes a charge and the bytes that say what it is; gives its unit, or null when its billing period ends at another time than its group's. */
  add(charge: Charge, content: Uint8Array): string | null {
    const group = this.#groupOf(charge);
    if (group.billingEndMs !== charge.billingEndMs) return null;
    group.rows += 1;
    group.billedAtto += charge.billedAtto;
    group.effectiveAtto += charge.effectiveAtto;
    // As a text: a buffer for each would cost more than the hash.
    addHash(group.words, hash('sha256', content, 'binary'));
    return group.unit;
  }

  /** The groups in a fixed order: source, account, billing period, currency. */
  finish(): BillGroup[] {
    const sorted = [...this.#groups].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([, { words, ...group }]) => ({
      ...group,
      fingerprint: fingerprintOf(group.rows, sumOf(words)),
    }));
  }

  #groupOf(charge: Charge): Growing {
    const last = this.#last;
    // Most rows are of the same group as the one before.
    if (last !== null && isOf(last, charge)) return last;
    const unit = unitOf(charge.source, charge.account, charge.billingStartMs);
    const key = unit + charge.currency;
    const group = this.#groups.get(key) ?? emptyGroup(charge, unit);
    this.#groups.set(key, group);
    this.#last = group;
    return group;
  }
}

function isOf(group: Growing, { source, account, currency, billingStartMs }: Charge): boolean {
  const isSamePlace = group.source === source && group.account === account;
  return isSamePlace && group.currency === currency && group.billingStartMs === billingStartMs;
}

function emptyGroup(charge: Charge, unit: string): Growing {
  const { source, account, currency, billingStartMs, billingEndMs } = charge;
  const place = { unit, source, account, currency, billingStartMs, billingEndMs };
  return { ...place, rows: 0, billedAtto: 0n, effectiveAtto: 0n, fingerprint: '', words: new Float64Array(8) };
}

const WORD = 2 ** 32;
const CARRY = 2 ** 52;

/** Eight words apart: a double adds two million of 32 bits without loss, so they are carried over long before. */
function addHash(words: Float64Array, row: string): void {
  for (let word = 7; word >= 0; word--) {
    const at = word * 4;
    const low = (row.charCodeAt(at + 1) << 16) | (row.charCodeAt(at + 2) << 8) | row.charCodeAt(at + 3);
    const sum = words[word]! + row.charCodeAt(at) * 0x100_0000 + low;
    words[word] = sum < CARRY ? sum : sum % WORD;
    if (sum >= CARRY && word > 0) words[word - 1]! += Math.floor(sum / WORD);
  }
}

function sumOf(words: Float64Array): bigint {
  return BigInt.asUintN(
    256,
    words.reduce((sum, word) => (sum << 32n) + BigInt(word), 0n),
  );
}

/** A sum of row hashes instead of a hash of sorted rows: nothing has to be sorted or kept. */
function fingerprintOf(rows: number, sum: bigint): string {
  return hash('sha256', `${rows} ${sum.toString(16)}`, 'hex');
}
