import type { ColumnStore } from '../../src/store/index.ts';

/** A call as assembly would store it; what is not said is usual. */
export interface StoredCall {
  readonly atMs: number;
  readonly tenant?: string;
  readonly endpoint?: string;
  readonly consumer?: string;
  readonly status?: number;
  readonly isError?: boolean;
  readonly version?: string;
  readonly bytesOut?: number | null;
  readonly records?: number | null;
}

/**
 * Writes calls into the table of work, many at once. They are counted by minute when a collector is opened on the folder, as after
 * a crash between the two.
 *
 * Takes  batch: a number that none had before.
 */
export function storeCalls(columns: ColumnStore, batch: number, calls: readonly StoredCall[]): Promise<void> {
  const column = <Value>(of: (call: StoredCall) => Value) => calls.map(of);
  return columns.command(
    `INSERT INTO work (batch, sign, received, trace_id, span_id, call_trace, call_span, is_call, share, weight, is_weight_known, tenant, endpoint, consumer,
        start_at, end_at, is_error, status, version, bytes_out, records, service, kind)
      SELECT {batch:UInt64}, 1, toDate('2026-01-01'), id, span, id, span, 1, 1000000, 1000000, 1, c.2, c.3, c.4, at, at, c.5, c.6, c.7, c.8, c.9, 'api', 2
      FROM (SELECT c, n, fromUnixTimestamp64Milli(c.1, 'UTC') AS at, toFixedString(leftPad(toString(n), 16, '0'), 16) AS id,
          toFixedString(leftPad(toString(n), 8, '0'), 8) AS span
        FROM (SELECT c, number AS n FROM (SELECT arrayJoin(arrayZip(${texts(
          column(({ atMs }) => String(atMs)),
          'Int64',
        )},
          ${texts(column(({ tenant = 'acme' }) => tenant))}, ${texts(column(({ endpoint = 'GET /a' }) => endpoint))},
          ${texts(column(({ consumer = '' }) => consumer))}, ${texts(
            column(({ isError = false }) => String(Number(isError))),
            'UInt8',
          )},
          ${texts(
            column(({ status = 0 }) => String(status)),
            'UInt16',
          )}, ${texts(column(({ version = '' }) => version))},
          ${numbers(column(({ bytesOut = null }) => bytesOut))}, ${numbers(column(({ records = null }) => records))},
          range(${batch} * 10000000, ${batch} * 10000000 + ${calls.length}))) AS c, c.10 AS number)))`,
    { batch },
  );
}

function numbers(values: readonly (number | null)[]): string {
  return texts(
    values.map((value) => (value === null ? 'NULL' : String(value))),
    'Nullable(UInt64)',
  );
}

/** A list in the text of a statement; as a parameter it would be the part of an address. */
function texts(values: readonly string[], type?: string): string {
  const list = values.map((value) => (type === undefined ? `'${value.replace(/['\\]/g, '\\$&')}'` : value));
  return type === undefined ? `[${list}]` : `CAST([${list}], 'Array(${type})')`;
}
