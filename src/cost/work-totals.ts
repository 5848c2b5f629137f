import { RowReader, type Texts } from '../store/index.ts';
import { Int128Column } from './int128.ts';

const INT128_BYTES = 16;

/**
 * Driver totals of a charge period by columns: ordered by tenant, endpoint, service in UTF-8 bytes, unattributed work last.
 * A row per tenant, endpoint and service can be a million, too many for an object each.
 */
export interface WorkTotals {
  /** What the numbers in the columns of texts mean; an empty tenant is unattributed work. */
  readonly texts: Texts;
  readonly tenants: Uint32Array;
  readonly endpoints: Uint32Array;
  readonly services: Uint32Array;
  /** By name of the quantity: of a driver, that. */
  readonly totals: ReadonlyMap<string, Int128Column>;
}

/**
 * Reads the answer of `driverTotals`.
 *
 * Takes  bytes: RowBinary rows of three texts and an Int128 for each quantity. texts: gets those that it does not have yet.
 */
export function readTotals(bytes: Buffer, quantities: readonly string[], texts: Texts): WorkTotals {
  const count = RowReader.countRows(bytes, 3, quantities.length * INT128_BYTES);
  const [tenants, endpoints, services] = [new Uint32Array(count), new Uint32Array(count), new Uint32Array(count)];
  const totals = quantities.map(() => Int128Column.zeros(count));
  const reader = new RowReader(bytes);
  for (let row = 0; row < count; row++) {
    tenants[row] = reader.text(texts);
    endpoints[row] = reader.text(texts);
    services[row] = reader.text(texts);
    for (const column of totals) reader.words128(column.words, row);
  }
  return {
    texts,
    tenants,
    endpoints,
    services,
    totals: new Map(quantities.map((quantity, at) => [quantity, totals[at]!])),
  };
}

/** The totals of a period without work. */
export function noTotals(texts: Texts): WorkTotals {
  return readTotals(Buffer.alloc(0), [], texts);
}
