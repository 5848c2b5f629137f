import { formatMoney } from '../model/index.ts';
import type { Charge } from './charge.ts';

export interface ServiceTotal {
  readonly serviceCategory: string;
  readonly serviceName: string;
  readonly currency: string;
  /** Decimal strings with 18 decimals. */
  readonly billed: string;
  readonly effective: string;
}

/** Adds charges up by service, one currency at a time. */
export class ServiceTotals {
  readonly #totals = new Map<string, { key: [string, string, string]; billed: bigint; effective: bigint }>();

  add(charge: Charge): void {
    const key: [string, string, string] = [
      textOf(charge, 'ServiceCategory'),
      textOf(charge, 'ServiceName'),
      charge.currency,
    ];
    const id = JSON.stringify(key);
    const total = this.#totals.get(id) ?? { key, billed: 0n, effective: 0n };
    this.#totals.set(id, total);
    total.billed += charge.billedAtto;
    total.effective += charge.effectiveAtto;
  }

  /** The largest services by effective cost, either sign. */
  largest(count: number): ServiceTotal[] {
    const sorted = [...this.#totals].sort(([idA, a], [idB, b]) => {
      const difference = magnitude(b.effective) - magnitude(a.effective);
      return difference === 0n ? (idA < idB ? -1 : 1) : difference < 0n ? -1 : 1;
    });
    return sorted.slice(0, count).map(([, { key, billed, effective }]) => ({
      serviceCategory: key[0],
      serviceName: key[1],
      currency: key[2],
      billed: formatMoney(billed),
      effective: formatMoney(effective),
    }));
  }
}

function textOf(charge: Charge, column: string): string {
  return charge.columns.find(([name]) => name === column)?.[1] ?? '';
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
