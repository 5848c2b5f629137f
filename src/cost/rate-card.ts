import { z } from 'zod';
import { type Driver, drivers, isCurrencyCode } from '../model/index.ts';
import { type DocumentStore, versionsOf } from '../store/index.ts';
import { decimal, scaledDecimal } from './pool.ts';

const rate = z.strictObject({
  pool: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be a short name of letters, digits, dot, dash'),
  kind: z.enum(['direct', 'indirect']),
  driver: z.enum(drivers),
  price: decimal(18, '0.00025'),
  per: decimal(0, '1000000').refine((units) => Number(units) >= 1, 'must be 1 or more'),
  services: z.array(z.string().min(1).max(500)).min(1).max(1000).optional(),
});

/** The spec of a RateCard document: unit prices by which calls are rated before there is a bill. */
export const rateCardSpec = z.strictObject({
  currency: z.string().refine(isCurrencyCode, 'must be an ISO 4217 code such as USD'),
  rates: z.array(rate).min(1).max(500),
});

/** A unit price: `amountAtto` for so many millionths of a driver's unit, weighed. */
export interface Rate {
  readonly pool: string;
  readonly kind: 'direct' | 'indirect';
  readonly driver: Driver;
  /** Whose work it is for; null: all. */
  readonly services: readonly string[] | null;
  readonly amountAtto: bigint;
  readonly perMicro: bigint;
}

export interface RateCard {
  /** `shop@2` of a document, `2022-08` of the month that the rates were derived from. */
  readonly id: string;
  readonly origin: 'document' | 'derived';
  readonly currency: string;
  readonly rates: readonly Rate[];
}

/**
 * Gives the RateCard document in force at an instant.
 *
 * Gives  null when there is none in this currency.
 * Holds  of several the one with the latest effective date, of equal dates the one applied last.
 */
export async function rateCardInForce(
  documents: DocumentStore,
  atMs: number,
  currency: string,
): Promise<RateCard | null> {
  const applied = (await versionsOf(documents, 'RateCard')).sort((a, b) => a.id - b.id);
  const begun = applied.filter((document) => Date.parse(document.effective_from) <= atMs);
  begun.sort((a, b) => Date.parse(a.effective_from) - Date.parse(b.effective_from) || a.id - b.id);
  for (const { name, version, body } of begun.reverse()) {
    const spec = rateCardSpec.parse(JSON.parse(body));
    if (spec.currency === currency)
      return { id: `${name}@${version}`, origin: 'document', currency, rates: spec.rates.map(rateOf) };
  }
  return null;
}

function rateOf({ pool, kind, driver, price, per, services }: z.infer<typeof rate>): Rate {
  const perMicro = scaledDecimal(per, 6);
  return { pool, kind, driver, services: services ?? null, amountAtto: scaledDecimal(price, 18), perMicro };
}
