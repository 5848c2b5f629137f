import { checkRaw, RPC_STATUS, readLetGo } from '../collect/index.ts';
import { fail } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';

/** What calls can be told apart by that limits know. */
export type CallLevel = 'tenant' | 'consumer' | 'endpoint';

/** Calls of one stretch of time and one group, in millionths. */
export interface CountedCalls {
  /** When the stretch begins, in microseconds. */
  readonly startUs: number;
  readonly tenant: string;
  readonly consumer: string;
  readonly endpoint: string;
  readonly callsMicro: bigint;
  /** Of them: those that were answered by a refusal of a limit. */
  readonly refusedMicro: bigint;
}

const MOST_GROUPS = 200_000;

/** HTTP's "too many requests", and gRPC's RESOURCE_EXHAUSTED. */
const REFUSED = `status IN (429, ${RPC_STATUS + 8})`;

const instant = (us: number) => `fromUnixTimestamp64Micro(toInt64(${Math.floor(us)}), 'UTC')`;

function within(fromUs: number, toUs: number): string {
  return `is_call = 1 AND toStartOfHour(start_at) >= toStartOfHour(${instant(fromUs)}) AND toStartOfHour(start_at) <= toStartOfHour(${instant(toUs)})
    AND start_at >= ${instant(fromUs)} AND start_at < ${instant(toUs)}`;
}

/**
 * Counts calls as they are now known.
 *
 * Takes  startsUs: of stretches one after the other, ascending; the last ends at endUs. only: names that levels must have.
 * Gives  a row for each stretch and group with any call; levels that were not asked for are empty.
 * Fails  RANGE_DROPPED where single calls were let go; RANGE_TOO_LONG beyond 200,000 rows.
 */
export async function countCalls(
  columns: ColumnStore,
  startsUs: readonly number[],
  endUs: number,
  by: readonly CallLevel[],
  only: Readonly<Partial<Record<CallLevel, string>>> = {},
): Promise<CountedCalls[]> {
  const fromUs = startsUs[0]!;
  await checkRaw(columns, await readLetGo(columns), {
    fromMs: Math.floor(fromUs / 1000),
    toMs: Math.ceil(endUs / 1000),
  });
  const names = Object.keys(only) as CallLevel[];
  const key = (level: CallLevel) => `${by.includes(level) ? level : "''"} AS k_${level}`;
  const rows = await columns.query<Record<'at' | 'k_tenant' | 'k_consumer' | 'k_endpoint' | 'n' | 'refused', string>>(
    `SELECT roundDown(toUnixTimestamp64Micro(start_at), [${startsUs.map((us) => `toInt64(${Math.floor(us)})`).join(', ')}]) AS at,
       ${key('tenant')}, ${key('consumer')}, ${key('endpoint')}, sum(sign * toInt128(share)) AS n, sumIf(sign * toInt128(share), ${REFUSED}) AS refused
     FROM work WHERE ${[within(fromUs, endUs), ...names.map((level) => `${level} = {only_${level}:String}`)].join(' AND ')}
     GROUP BY at, k_tenant, k_consumer, k_endpoint HAVING n != 0 ORDER BY at, k_tenant, k_consumer, k_endpoint LIMIT ${MOST_GROUPS + 1}`,
    Object.fromEntries(names.map((level) => [`only_${level}`, only[level]])),
  );
  if (rows.length > MOST_GROUPS) throw fail('RANGE_TOO_LONG', { rows: MOST_GROUPS });
  return rows.map((row) => ({
    startUs: Number(row.at),
    ...{ tenant: row.k_tenant, consumer: row.k_consumer, endpoint: row.k_endpoint },
    ...{ callsMicro: BigInt(row.n), refusedMicro: BigInt(row.refused) },
  }));
}

/** A call as it arrived. */
export interface ArrivedCall {
  readonly us: number;
  readonly tenant: string;
  readonly consumer: string;
  readonly endpoint: string;
  /** How many calls it stands for, in millionths. */
  readonly shareMicro: number;
  readonly isRefused: boolean;
}

interface ArrivedRow {
  nanos: string;
  tenant: string;
  consumer: string;
  endpoint: string;
  share: string;
  is_refused: number;
  trace: string;
  span: string;
}

const PAGE = 10_000;
const HOUR_US = 3_600_000_000;

/**
 * Gives the calls of a range in the order in which they began, a page at a time.
 *
 * Holds  every call once; memory holds one page.
 * Fails  RANGE_DROPPED where single calls were let go.
 */
export async function* callsInOrder(columns: ColumnStore, fromUs: number, toUs: number): AsyncGenerator<ArrivedCall[]> {
  await checkRaw(columns, await readLetGo(columns), {
    fromMs: Math.floor(fromUs / 1000),
    toMs: Math.ceil(toUs / 1000),
  });
  for (const hourUs of await hoursWithCalls(columns, fromUs, toUs)) {
    let last: ArrivedRow | null = null;
    for (;;) {
      const rows: ArrivedRow[] = await readPage(
        columns,
        Math.max(fromUs, hourUs),
        Math.min(toUs, hourUs + HOUR_US),
        last,
      );
      if (rows.length > 0) yield rows.map(arrivedCall);
      if (rows.length < PAGE) break;
      last = rows.at(-1)!;
    }
  }
}

async function hoursWithCalls(columns: ColumnStore, fromUs: number, toUs: number): Promise<number[]> {
  const rows = await columns.query<{ hour: string }>(
    `SELECT DISTINCT toString(toUnixTimestamp(toStartOfHour(start_at))) AS hour FROM work WHERE ${within(fromUs, toUs)} ORDER BY toUInt64(hour)`,
  );
  return rows.map(({ hour }) => Number(hour) * 1_000_000);
}

const told = 'namespace, trace_id, span_id, start_at, tenant, consumer, endpoint, share, status';

/** Calls in force: rows whose versions add up to something. */
function readPage(columns: ColumnStore, fromUs: number, toUs: number, after: ArrivedRow | null): Promise<ArrivedRow[]> {
  const order = '(start_at, hex(trace_id), hex(span_id))';
  const page =
    after === null
      ? ''
      : `AND ${order} > (fromUnixTimestamp64Nano({nanos:Int64}, 'UTC'), {trace:String}, {span:String})`;
  return columns.query<ArrivedRow>(
    `SELECT toString(toUnixTimestamp64Nano(start_at)) AS nanos, tenant, consumer, endpoint, toString(share) AS share, ${REFUSED} AS is_refused,
       hex(trace_id) AS trace, hex(span_id) AS span
     FROM (SELECT ${told} FROM work WHERE ${within(fromUs, toUs)} ${page}
       GROUP BY ${told} HAVING sum(sign) > 0 ORDER BY start_at, hex(trace_id), hex(span_id) LIMIT ${PAGE})
     ORDER BY start_at, trace, span`,
    after === null ? {} : { nanos: after.nanos, trace: after.trace, span: after.span },
  );
}

function arrivedCall({ nanos, tenant, consumer, endpoint, share, is_refused }: ArrivedRow): ArrivedCall {
  const us = Number(BigInt(nanos) / 1_000n);
  return { us, tenant, consumer, endpoint, shareMicro: Number(share), isRefused: is_refused === 1 };
}
