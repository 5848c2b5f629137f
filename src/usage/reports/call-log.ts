import { requestHash } from '../../collect/index.ts';
import { fail, MILLIS_PER_HOUR, type TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import { SLOT_MS } from '../rollups/cuts.ts';
import { type Choice, type Dimension, dimensionSql } from '../sums/dimensions.ts';
import { callsWithin, checkCallsKept, sumCalls } from '../sums/sum-calls.ts';
import { type CallCursor, readCursor, writeCursor } from './call-cursor.ts';
import { readPresence, type Standing, shownCalls } from './freshness.ts';
import { type SlotWithCalls, slotsWithCalls } from './slots-with-calls.ts';

export interface CallLogQuestion {
  readonly range: TimeRange;
  readonly only: Choice;
  /** 32 hexadecimal digits, or empty. */
  readonly traceId: string;
  /** Of the request, as its span named it; all without one. */
  readonly requestId?: string;
  /** An HTTP status, or 1000 and a gRPC code, exactly; null for all. */
  readonly statusCode: number | null;
  readonly limit: number;
  readonly cursor: string;
}

export interface LoggedCall {
  /** When it began, to the nanosecond. */
  readonly time: string;
  readonly tenant: string;
  readonly endpoint: string;
  readonly consumer: string;
  readonly kind: string;
  readonly status: number;
  readonly isError: boolean;
  /** Null where nobody said when it ended. */
  readonly durationMs: number | null;
  readonly service: string;
  readonly region: string;
  readonly version: string;
  readonly flags: string;
  /** How many calls it stands for. */
  readonly weight: number;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
  readonly traceId: string;
  readonly spanId: string;
}

export interface CallLogPage extends Standing {
  /** Of the whole choice, on the first page; null where counting them would mean to read them all. */
  readonly calls: number | null;
  readonly rows: readonly LoggedCall[];
  readonly next: string | null;
}

/** In how many quarters of an hour one query looks. */
const MOST_SLOTS = 4_000;

/**
 * Gives a page of calls as they are now known, newest first.
 *
 * Gives  rows, and where the next page begins; null on the last one.
 * Holds  pages together are every call of the choice, none twice; calls that arrive meanwhile move none of the later pages.
 * Fails  PARAMETER_INVALID for a cursor that is none of ours; RANGE_DROPPED where single calls of the range were let go.
 */
export async function callLog(store: Store, question: CallLogQuestion, now: Date): Promise<CallLogPage> {
  const { range, limit } = question;
  if (!/^([0-9a-f]{32})?$/i.test(question.traceId))
    throw fail('PARAMETER_INVALID', { reason: 'a trace id has 32 hexadecimal digits' });
  await checkCallsKept(store.columns, range);
  const presence = await readPresence(store.columns, range, now);
  const cursor = question.cursor === '' ? null : readCursor(question.cursor);
  const rows =
    question.traceId === '' && (question.requestId ?? '') === ''
      ? await page(store, question, cursor)
      : await readCalls(store, question, [range], cursor);
  const counted = cursor === null ? await countOf(store, question) : null;
  const last = rows.length > limit ? rows[limit - 1]! : null;
  return {
    calls: counted === null ? null : shownCalls(counted.calls),
    rows: rows.slice(0, limit).map(shownCall),
    next: last === null ? null : writeCursor({ nanos: last.nanos, traceId: last.trace, spanId: last.span }),
    ...presence.standing(range, counted?.calls ?? 0n, counted?.known ?? 0n),
  };
}

/** Reads newest stretches first, and no more of them than the page needs. */
async function page(store: Store, question: CallLogQuestion, cursor: CallCursor | null): Promise<CallRow[]> {
  const { range, limit, only } = question;
  const toMs = cursor === null ? range.toMs : Math.min(range.toMs, Number(BigInt(cursor.nanos) / 1_000_000n) + 1);
  if (toMs <= range.fromMs) return [];
  const slots = await slotsWithCalls(store.columns, { fromMs: range.fromMs, toMs }, only);
  const found: CallRow[] = [];
  for (let at = 0; at < slots.length && found.length <= limit; ) {
    // A sum may stand for fewer calls than it says, or the choice be narrower than sums know: then this goes on, further each time.
    const size = Math.max(enough(slots, at, limit + 1 - found.length), at);
    const stretches = slots.slice(at, at + Math.min(size, MOST_SLOTS));
    found.push(...(await readCalls(store, { ...question, limit: limit - found.length }, stretches, cursor)));
    at += stretches.length;
  }
  return found;
}

/** How many slots hold as many calls as are looked for. */
function enough(slots: readonly SlotWithCalls[], from: number, calls: number): number {
  let [count, sum] = [0, 0];
  for (let at = from; at < slots.length && sum < calls; at++, count++) sum += slots[at]!.calls;
  return count;
}

interface CallRow {
  nanos: string;
  time: string;
  tenant: string;
  endpoint: string;
  consumer: string;
  call_kind: string;
  status: number;
  is_error: number;
  is_timed: number;
  duration_us: string;
  service: string;
  region: string;
  version: string;
  flags: string;
  share: string;
  bytes_in: string | null;
  bytes_out: string | null;
  trace: string;
  span: string;
}

const shown = [
  ...[
    'namespace',
    'trace_id',
    'span_id',
    'start_at',
    'end_at',
    'tenant',
    'endpoint',
    'consumer',
    'call_kind',
    'status',
    'is_error',
  ],
  ...['is_timed', 'service', 'region', 'version', 'flags', 'share', 'bytes_in', 'bytes_out'],
].join(', ');

/** Calls in force: rows whose versions add up to something. One more than the page has, to know whether there is a next one. */
function readCalls(
  { columns }: Store,
  { only, traceId, requestId = '', statusCode, limit, range }: CallLogQuestion,
  stretches: readonly TimeRange[],
  cursor: CallCursor | null,
): Promise<CallRow[]> {
  const within = stretches.length === 1 ? callsWithin(clipped(stretches[0]!, range)) : slotsWithin(stretches, range);
  const conditions = [
    `is_call = 1 AND ${within}`,
    ...(Object.keys(only) as Dimension[]).map((name) => `${dimensionSql[name]} IN ({only_${name}:Array(String)})`),
    ...(traceId === '' ? [] : ['trace_id = toFixedString(unhex({traceId:String}), 16)']),
    ...(requestId === '' ? [] : [namesRequest]),
    ...(statusCode === null ? [] : ['status = {statusCode:UInt16}']),
    ...(cursor === null
      ? []
      : [
          `(start_at, hex(trace_id), hex(span_id)) < (fromUnixTimestamp64Nano({nanos:Int64}, 'UTC'), {cursorTrace:String}, {cursorSpan:String})`,
        ]),
  ];
  return columns.query<CallRow>(
    `SELECT toString(toUnixTimestamp64Nano(start_at)) AS nanos, toString(start_at) AS time, tenant, endpoint, consumer, call_kind, status, is_error, is_timed,
       greatest(0, intDiv(toUnixTimestamp64Nano(end_at) - toUnixTimestamp64Nano(start_at), 1000)) AS duration_us,
       service, region, version, flags, share, bytes_in, bytes_out, hex(trace_id) AS trace, hex(span_id) AS span
     FROM (SELECT ${shown} FROM work WHERE ${conditions.join(' AND ')} GROUP BY ${shown} HAVING sum(sign) > 0
       ORDER BY start_at DESC, hex(trace_id) DESC, hex(span_id) DESC LIMIT {most:UInt32})
     ORDER BY start_at DESC, trace DESC, span DESC`,
    {
      ...Object.fromEntries(Object.entries(only).map(([name, values]) => [`only_${name}`, values])),
      ...(traceId === '' ? {} : { traceId }),
      ...(requestId === '' ? {} : { request: requestHash(Buffer.from(requestId)).toString('hex') }),
      ...(statusCode === null ? {} : { statusCode }),
      ...(cursor === null ? {} : { nanos: cursor.nanos, cursorTrace: cursor.traceId, cursorSpan: cursor.spanId }),
      most: limit + 1,
    },
  );
}

/**
 * Ids of requests are not kept, but a keyed hash of each: as a link to a trace that nobody sends, with a span id of zero. Which traces
 * have it the table of links says.
 */
const namesRequest = `trace_id IN (SELECT source FROM links WHERE target = toFixedString(unhex({request:String}), 16))
  AND has(links, toFixedString(concat(unhex({request:String}), repeat(char(0), 8)), 24))`;

/** The same for many quarters of an hour: their hours are what the table is ordered by. */
function slotsWithin(slots: readonly TimeRange[], range: TimeRange): string {
  const [hours, quarters] = [new Set<number>(), slots.map(({ fromMs }) => fromMs / SLOT_MS)];
  for (const { fromMs } of slots) hours.add(Math.floor(fromMs / MILLIS_PER_HOUR) * 3_600);
  return `toStartOfHour(start_at) IN (${[...hours].map((at) => `toDateTime(${at}, 'UTC')`)})
    AND intDiv(toUnixTimestamp(toDateTime(start_at, 'UTC')), ${SLOT_MS / 1000}) IN (${quarters}) AND ${callsWithin(range)}`;
}

function clipped(stretch: TimeRange, range: TimeRange): TimeRange {
  return { fromMs: Math.max(stretch.fromMs, range.fromMs), toMs: Math.min(stretch.toMs, range.toMs) };
}

function shownCall(row: CallRow): LoggedCall {
  const { tenant, endpoint, consumer, status, service, region, version, flags } = row;
  return {
    ...{ time: `${row.time.replace(' ', 'T')}Z`, tenant, endpoint, consumer, kind: row.call_kind, status },
    isError: row.is_error === 1,
    durationMs: row.is_timed === 1 ? Number(row.duration_us) / 1000 : null,
    ...{ service, region, version, flags, weight: shownCalls(BigInt(row.share)) },
    bytesIn: row.bytes_in === null ? null : Number(row.bytes_in),
    bytesOut: row.bytes_out === null ? null : Number(row.bytes_out),
    ...{ traceId: row.trace.toLowerCase(), spanId: row.span.toLowerCase() },
  };
}

const countable: readonly string[] = ['tenant', 'endpoint', 'consumer'];

async function countOf({ columns }: Store, { range, only, traceId, requestId = '', statusCode }: CallLogQuestion) {
  if (
    traceId !== '' ||
    requestId !== '' ||
    statusCode !== null ||
    Object.keys(only).some((name) => !countable.includes(name))
  )
    return null;
  const [sums] = await sumCalls(columns, { ranges: [range], by: [], only, isByRange: false });
  return sums ?? { calls: 0n, known: 0n };
}
