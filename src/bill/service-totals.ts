import { formatMoney } from '../model/index.ts';
import type { CheckedRow } from './bill-check.ts';
import type { Charge } from './charge.ts';

export interface ServiceTotal {
  readonly serviceCategory: string;
  readonly serviceName: string;
  readonly currency: string;
  /** Decimal strings with 18 decimals. */
  readonly billed: string;
  readonly effective: string;
}

export interface CategoryTotal {
  readonly chargeCategory: string;
  readonly currency: string;
  readonly rows: number;
  readonly billed: string;
  readonly effective: string;
}

interface Sum {
  readonly key: readonly [string, string, string];
  rows: number;
  billed: bigint;
  effective: bigint;
}

/** Adds charges up by three texts, one of them the currency. */
class Sums {
  readonly #sums = new Map<string, Map<string, Map<string, Sum>>>();

  add(first: string, second: string, { currency, billedAtto, effectiveAtto }: Charge): void {
    const inner = inside(this.#sums, first, () => new Map<string, Map<string, Sum>>());
    const byCurrency = inside(inner, second, () => new Map<string, Sum>());
    const sum = inside(
      byCurrency,
      currency,
      (): Sum => ({ key: [first, second, currency], rows: 0, billed: 0n, effective: 0n }),
    );
    sum.rows += 1;
    sum.billed += billedAtto;
    sum.effective += effectiveAtto;
  }

  /** The largest by effective cost, either sign. */
  largest(count: number): Sum[] {
    const all = [...this.#sums.values()].flatMap((inner) => [...inner.values()].flatMap((sums) => [...sums.values()]));
    const named = all.map((sum) => ({ sum, id: JSON.stringify(sum.key), size: magnitude(sum.effective) }));
    named.sort((a, b) => (a.size === b.size ? (a.id < b.id ? -1 : 1) : a.size > b.size ? -1 : 1));
    return named.slice(0, count).map(({ sum }) => sum);
  }
}

function inside<Value>(values: Map<string, Value>, key: string, first: () => Value): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  const value = first();
  values.set(key, value);
  return value;
}

/** Adds charges up by service and by category, one currency at a time. */
export class ServiceTotals {
  readonly #services = new Sums();
  readonly #categories = new Sums();

  /** Takes  row: what the charge was made of. */
  add(charge: Charge, { row, at }: CheckedRow): void {
    this.#services.add(row.text(at.ServiceCategory), row.text(at.ServiceName), charge);
    this.#categories.add(row.text(at.ChargeCategory), '', charge);
  }

  /** The largest services by effective cost, either sign. */
  largest(count: number): ServiceTotal[] {
    return this.#services.largest(count).map(({ key, billed, effective }) => ({
      serviceCategory: key[0],
      serviceName: key[1],
      currency: key[2],
      billed: formatMoney(billed),
      effective: formatMoney(effective),
    }));
  }

  categories(count: number): CategoryTotal[] {
    return this.#categories.largest(count).map(({ key, rows, billed, effective }) => ({
      chargeCategory: key[0],
      currency: key[2],
      rows,
      billed: formatMoney(billed),
      effective: formatMoney(effective),
    }));
  }
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
