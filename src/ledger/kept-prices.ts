import { callPrices, plainCallPrice, rateWork } from '../cost/index.ts';
import { MILLIS_PER_HOUR, type TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { callTotals } from './call-queries.ts';
import { rateCardAt } from './rates.ts';

/** Which rates prices come from, and of when they are. */
export interface PriceState {
  readonly currency: string;
  /** Null where there is neither a RateCard of the currency nor a closed month. */
  readonly card: string | null;
  readonly origin: 'document' | 'derived' | null;
  /** The time whose work and calls they were worked out from. */
  readonly range: TimeRange;
  readonly asOfMs: number;
  readonly ageSeconds: number;
}

export interface KeptPricesOptions {
  readonly store: Store;
  readonly now: () => Date;
  /** In which somebody wants to know prices. */
  readonly currencies: () => readonly string[];
  readonly failed: (cause: unknown) => void;
}

interface Prices extends Omit<PriceState, 'ageSeconds'> {
  readonly priceOf: (tenant: string, endpoint: string) => bigint | null;
  /** What was asked before. */
  readonly known: Map<string, { readonly amountAtto: bigint; readonly currency: string } | null>;
}

/** Long enough for endpoints that are called once a week. */
const MEASURED_MS = 7 * 24 * MILLIS_PER_HOUR;
const MOST_KNOWN = 100_000;

/**
 * Knows what a call costs by the rates before it is made: who limits money asks for every call, and cannot wait for a query.
 *
 * Holds  what was worked out stays until it could be worked out anew; how old it is can be asked.
 */
export class KeptPrices {
  readonly #options: KeptPricesOptions;
  #prices = new Map<string, Prices>();
  #turn: Promise<void> = Promise.resolve();

  constructor(options: KeptPricesOptions) {
    this.#options = options;
  }

  /** What a call costs on the average; null where nobody knows. A credit costs nothing. */
  ratedCostOf(
    { tenant, endpoint }: { readonly tenant: string; readonly endpoint: string },
    currency: string,
  ): { readonly amountAtto: bigint; readonly currency: string } | null {
    const prices = this.#prices.get(currency);
    if (prices === undefined) return null;
    const key = `${tenant}\n${endpoint}`;
    const known = prices.known.get(key);
    if (known !== undefined) return known;
    const price = prices.priceOf(tenant, endpoint);
    const cost = price === null ? null : { amountAtto: price < 0n ? 0n : price, currency };
    // Callers choose names: what is remembered must not grow with them.
    if (prices.known.size < MOST_KNOWN) prices.known.set(key, cost);
    return cost;
  }

  get states(): PriceState[] {
    const nowMs = this.#options.now().getTime();
    return [...this.#prices.values()].map(({ currency, card, origin, range, asOfMs }) => {
      return { currency, card, origin, range, asOfMs, ageSeconds: Math.max(0, (nowMs - asOfMs) / 1000) };
    });
  }

  /** Works them out anew, by what is known now. Whatever fails is told, and what was known stays. */
  refresh(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      const next = new Map<string, Prices>();
      for (const currency of new Set(this.#options.currencies())) {
        const before = this.#prices.get(currency);
        try {
          next.set(currency, await readPrices(this.#options.store, currency, this.#options.now().getTime()));
        } catch (cause) {
          this.#options.failed(cause);
          if (before !== undefined) next.set(currency, before);
        }
      }
      this.#prices = next;
    });
    return this.#turn;
  }
}

async function readPrices(store: Store, currency: string, nowMs: number): Promise<Prices> {
  // Of long ago only whole hours are kept.
  const toMs = (Math.floor(nowMs / MILLIS_PER_HOUR) + 1) * MILLIS_PER_HOUR;
  const range = { fromMs: toMs - MEASURED_MS, toMs };
  const card = await rateCardAt(store, nowMs, currency);
  const { id = null, origin = null } = card ?? {};
  const told = { currency, card: id, origin, range, asOfMs: nowMs, known: new Map() };
  if (card === null) return { ...told, priceOf: () => null };
  const rows = await rateWork(store.columns, range, card.rates);
  const calls = await callTotals(store.columns, range, ['tenant', 'endpoint'], 'UTC');
  const callsMicro = [...calls.values()].map(({ tenant, endpoint, calls: callsMicro }) => {
    return { tenant, endpoint, callsMicro };
  });
  const measured = callPrices(rows, callsMicro);
  const plain = plainCallPrice(card.rates);
  return { ...told, priceOf: (tenant, endpoint) => measured.ratedCostOf(endpoint, tenant) ?? plain };
}
