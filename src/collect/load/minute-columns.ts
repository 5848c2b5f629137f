import { WEIGHT_ONE } from '../../model/index.ts';
import { successClasses, successClassOf, successClassSql } from '../success-class.ts';
import { measures, type SpanTable } from '../table/span-table.ts';

/** The rows of a batch that are calls, written with sign +1 or taken back with -1. */
export interface CountedCalls {
  readonly table: SpanTable;
  readonly rows: number;
  /** Of each its row in the table. */
  readonly row: Int32Array;
  readonly sign: Int8Array;
  /** Whole millionths. */
  readonly share: Float64Array;
  /** Numbers of texts. */
  readonly tenant: Uint32Array;
  readonly endpoint: Uint32Array;
  readonly consumer: Uint32Array;
}

/** A column by which the calls of a minute are told apart: how the engine reads it from `work`, and what it is of the calls at hand. */
export interface MinuteGroup {
  readonly column: string;
  readonly sql: string;
  /** Numbers of texts in the table. */
  readonly texts: (calls: CountedCalls) => Uint32Array;
}

/** A sum over the calls of a group: how the engine makes it from `work`, and what one call, not taken back, adds to it. */
export interface MinuteSum {
  readonly column: string;
  readonly sql: string;
  readonly of: (calls: CountedCalls, at: number) => number | bigint;
}

export const minuteGroups: readonly MinuteGroup[] = [
  { column: 'tenant', sql: 'tenant', texts: ({ tenant }) => tenant },
  { column: 'endpoint', sql: 'endpoint', texts: ({ endpoint }) => endpoint },
  { column: 'consumer', sql: 'consumer', texts: ({ consumer }) => consumer },
  { column: 'call_kind', sql: 'call_kind', texts: (calls) => ofRows(calls, calls.table.callKind) },
  { column: 'class', sql: successClassSql, texts: classesOf },
  { column: 'region', sql: 'region', texts: (calls) => ofRows(calls, calls.table.region) },
  { column: 'version', sql: 'version', texts: (calls) => ofRows(calls, calls.table.version) },
  { column: 'flags', sql: 'flags', texts: (calls) => ofRows(calls, calls.table.flags) },
];

function ofRows({ row, rows }: CountedCalls, column: Uint32Array): Uint32Array {
  const values = new Uint32Array(rows);
  for (let at = 0; at < rows; at++) values[at] = column[row[at]!]!;
  return values;
}

function classesOf({ table, row, rows }: CountedCalls): Uint32Array {
  const numbers = new Map(successClasses.map((name) => [name, table.texts.idOfString(name)]));
  const values = new Uint32Array(rows);
  for (let at = 0; at < rows; at++) {
    const place = row[at]!;
    values[at] = numbers.get(successClassOf(table.status[place]!, table.isError[place] === 1))!;
  }
  return values;
}

const durationUs = 'greatest(0, intDiv(toUnixTimestamp64Nano(end_at) - toUnixTimestamp64Nano(start_at), 1000))';
const weighted = (quantity: string) => `sum(sign * intDiv(toInt128(${quantity}) * share, ${WEIGHT_ONE}))`;

export const minuteSums: readonly MinuteSum[] = [
  { column: 'calls', sql: 'sum(sign * toInt128(share))', of: shareOf },
  {
    column: 'known',
    sql: 'sum(sign * toInt128(share) * is_weight_known)',
    of: (calls, at) => (calls.table.isWeightKnown[calls.row[at]!] === 1 ? shareOf(calls, at) : 0),
  },
  {
    column: 'errors',
    sql: 'sum(sign * toInt128(share) * is_error)',
    of: (calls, at) => (calls.table.isError[calls.row[at]!] === 1 ? shareOf(calls, at) : 0),
  },
  {
    column: 'timed',
    sql: 'sum(sign * toInt128(share) * is_timed)',
    of: (calls, at) => (calls.table.isTimed[calls.row[at]!] === 1 ? shareOf(calls, at) : 0),
  },
  {
    column: 'duration_us',
    sql: weighted(durationUs),
    of: (calls, at) => weightedBy(calls, at, durationUsOf(calls.table, calls.row[at]!)),
  },
  ...sizeSums('bytes_in', 'sized_in'),
  ...sizeSums('bytes_out', 'sized_out'),
  ...sizeSums('records', 'counted_records'),
  // The variance of a count of calls, in squared millionths.
  {
    column: 'variance',
    sql: `sum(sign * toInt128(share) * (toInt128(share) - ${WEIGHT_ONE}))`,
    of: ({ share }, at) => product(share[at]!, share[at]! - WEIGHT_ONE),
  },
];

/** A measure of the calls that have it, and the weight of these. */
function sizeSums(measure: (typeof measures)[number], sized: string): readonly MinuteSum[] {
  const which = measures.indexOf(measure);
  const sizeOf = ({ table, row }: CountedCalls, at: number) => table.measures[which]?.[row[at]!] ?? Number.NaN;
  return [
    {
      column: sized,
      sql: `sumIf(sign * toInt128(share), ${measure} IS NOT NULL)`,
      of: (calls, at) => (sizeOf(calls, at) >= 0 ? shareOf(calls, at) : 0),
    },
    {
      column: measure,
      sql: weighted(`ifNull(${measure}, 0)`),
      of(calls, at) {
        const value = sizeOf(calls, at);
        return value >= 0 ? weightedBy(calls, at, value) : 0;
      },
    },
  ];
}

function shareOf({ share }: CountedCalls, at: number): number {
  return share[at]!;
}

/** Exact, rounded down: a sampled call stands for several, each as large as it. */
function weightedBy({ share }: CountedCalls, at: number, quantity: number): number | bigint {
  const weight = share[at]!;
  if (weight === WEIGHT_ONE || quantity === 0) return quantity;
  const whole = (BigInt(quantity) * BigInt(weight)) / BigInt(WEIGHT_ONE);
  return whole <= Number.MAX_SAFE_INTEGER ? Number(whole) : whole;
}

function product(a: number, b: number): number | bigint {
  const whole = a * b;
  return Math.abs(whole) <= Number.MAX_SAFE_INTEGER ? whole : BigInt(a) * BigInt(b);
}

function durationUsOf({ start, end }: SpanTable, row: number): number {
  const high = end[row * 2 + 1]! - start[row * 2 + 1]!;
  const low = end[row * 2]! - start[row * 2]!;
  const nanos = high * 2 ** 32 + low;
  if (nanos <= 0) return 0;
  if (nanos <= Number.MAX_SAFE_INTEGER) return Math.floor(nanos / 1000);
  return Number((BigInt(high) * 2n ** 32n + BigInt(low)) / 1000n);
}
