import type { RowShape, RowWriter } from '../store/index.ts';

/** Texts by name, sorted by name, each name once. */
export type TextMap = readonly (readonly [name: string, value: string])[];

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
  readonly columns: TextMap;
  readonly tags: TextMap;
}

/** The columns of table `charges`, in the order that writeCharge writes them. */
export const chargeShape: RowShape = [
  ['import_id', 'UInt64'],
  ['line', 'UInt32'],
  ['source', 'LowCardinality(String)'],
  ['account', 'LowCardinality(String)'],
  ['currency', 'LowCardinality(String)'],
  ['billing_start', "DateTime('UTC')"],
  ['billing_end', "DateTime('UTC')"],
  ['charge_start', "DateTime('UTC')"],
  ['charge_end', "DateTime('UTC')"],
  ['billed', 'Decimal(38, 18)'],
  ['effective', 'Decimal(38, 18)'],
  ['list', 'Decimal(38, 18)'],
  ['contracted', 'Decimal(38, 18)'],
  ['columns', 'Map(LowCardinality(String), String)'],
  ['tags', 'Map(LowCardinality(String), String)'],
];

/** The bytes of import id and line, which say where a row came from and not what it is. */
export const PROVENANCE_BYTES = 12;

/** Writes a charge as one row of `chargeShape`. */
export function writeCharge(to: RowWriter, importId: number, line: number, charge: Charge): void {
  to.u64(importId);
  to.u32(line);
  to.text(charge.source);
  to.text(charge.account);
  to.text(charge.currency);
  for (const ms of [charge.billingStartMs, charge.billingEndMs, charge.chargeStartMs, charge.chargeEndMs])
    to.u32(ms / 1000);
  for (const atto of [charge.billedAtto, charge.effectiveAtto, charge.listAtto, charge.contractedAtto]) to.i128(atto);
  writeTexts(to, charge.columns);
  writeTexts(to, charge.tags);
}

function writeTexts(to: RowWriter, texts: TextMap): void {
  to.varint(texts.length);
  for (const [name, value] of texts) {
    to.text(name);
    to.text(value);
  }
}
