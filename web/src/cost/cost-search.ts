import { isDay, isMonth, type PeriodSearch } from '../period/period.ts';

export type Basis = 'full' | 'direct';
export type CostView = 'endpoint' | 'tenant' | 'both';

/** Everything the reader can choose on the cost page lives in its address, so that a link shows the same figures. */
export interface CostSearch extends PeriodSearch {
  readonly basis?: Basis | undefined;
  readonly view?: CostView | undefined;
  readonly tenant?: string | undefined;
  readonly endpoint?: string | undefined;
  /** Calls that a cost is shown for: one, or a thousand. */
  readonly per?: '1000' | undefined;
  readonly digits?: 'exact' | undefined;
  readonly zone?: 'local' | undefined;
}

/** Keeps what is valid of an address; what is not falls back to the default instead of breaking the page. */
export function costSearchFromAddress(address: Readonly<Record<string, unknown>>): CostSearch {
  const found: CostSearch = {
    month: isMonth(address.month) ? address.month : undefined,
    ...daysFromAddress(address.from, address.to),
    basis: oneOf(address.basis, ['direct']),
    view: oneOf(address.view, ['tenant', 'both']),
    tenant: nonEmpty(address.tenant),
    endpoint: nonEmpty(address.endpoint),
    per: oneOf(address.per, ['1000']),
    digits: oneOf(address.digits, ['exact']),
    zone: oneOf(address.zone, ['local']),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

function daysFromAddress(from: unknown, to: unknown): PeriodSearch {
  return isDay(from) && isDay(to) && from < to ? { from, to } : {};
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((candidate) => candidate === value);
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
