import type { Slice } from '../cost/index.ts';
import { grouped } from '../model/index.ts';
import type { StoredPeriod } from '../store/index.ts';
import { billOfRow, billOfSlice, payerOf } from './bill-key.ts';

/** The closed periods, and which of them a charge is about. */
export class Closings {
  readonly periods: readonly StoredPeriod[];
  readonly #bills: ReadonlySet<string>;
  readonly #byPayer: ReadonlyMap<string, readonly StoredPeriod[]>;

  constructor(periods: readonly StoredPeriod[]) {
    this.periods = periods;
    this.#bills = new Set(periods.map(billOfRow));
    this.#byPayer = grouped(periods, payerOf);
  }

  get isEmpty(): boolean {
    return this.periods.length === 0;
  }

  hasSlice(slice: Parameters<typeof billOfSlice>[0]): boolean {
    return this.#bills.has(billOfSlice(slice));
  }

  hasRow(row: Parameters<typeof billOfRow>[0]): boolean {
    return this.#bills.has(billOfRow(row));
  }

  ofPayer(payer: Parameters<typeof payerOf>[0]): readonly StoredPeriod[] {
    return this.#byPayer.get(payerOf(payer)) ?? [];
  }

  /** The closed period of the same payer that holds the time of a charge which another bill brings; none for an ordinary charge. */
  about(slice: Slice): StoredPeriod | undefined {
    return this.ofPayer(slice).find(
      (period) =>
        slice.chargeStartMs >= Number(period.billing_start) &&
        slice.chargeStartMs < Number(period.billing_end) &&
        slice.billingStartMs !== Number(period.billing_start),
    );
  }

  /** Only those that were closed before a moment. */
  before(instant: string): Closings {
    return new Closings(this.periods.filter(({ closed_at }) => closed_at < instant));
  }
}
