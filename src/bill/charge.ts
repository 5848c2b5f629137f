import { RowWriter } from '../store/index.ts';
import type { Cell, Tags } from './cell.ts';

/** One line of a provider's bill. Amounts in atto-units of its currency, times in milliseconds since 1970 UTC. */
export interface Charge {
  readonly source: string;
  readonly account: string;
  readonly currency: string;
  readonly billingStartMs: number;
  readonly billingEndMs: number;
  readonly chargeStartMs: number;
  readonly chargeEndMs: number;
  readonly billedAtto: bigint;
  readonly effectiveAtto: bigint;
  readonly listAtto: bigint;
  readonly contractedAtto: bigint;
  /** Every column that holds something, sorted by name, each name once; without the tags. */
  readonly cells: readonly Cell[];
  readonly tags: Tags;
}

/** The part of a charge that has a fixed length: four times and four amounts. */
export const FIXED_BYTES = 4 * 4 + 4 * 16;

/**
 * Writes what charges are, without where they came from: their fingerprints are made of these bytes, so their form must not change.
 * What it gives is good until the next charge.
 */
export class ChargeWriter {
  readonly #row = new RowWriter(4096);

  /** Gives  the bytes, and where times and amounts begin in them, `FIXED_BYTES` of these. */
  write(charge: Charge): { readonly bytes: Buffer; readonly fixedAt: number } {
    const to = this.#row;
    to.reset();
    to.text(charge.source);
    to.text(charge.account);
    to.text(charge.currency);
    const fixedAt = to.sizeBytes;
    to.u32(charge.billingStartMs / 1000);
    to.u32(charge.billingEndMs / 1000);
    to.u32(charge.chargeStartMs / 1000);
    to.u32(charge.chargeEndMs / 1000);
    to.i128(charge.billedAtto);
    to.i128(charge.effectiveAtto);
    to.i128(charge.listAtto);
    to.i128(charge.contractedAtto);
    to.varint(charge.cells.length);
    for (const cell of charge.cells) cell.writeEntry(to);
    to.varint(charge.tags.count);
    to.raw(charge.tags.bytes);
    return { bytes: to.bytes(), fixedAt };
  }
}
