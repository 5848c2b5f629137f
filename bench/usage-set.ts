import type { Store } from '../src/store/index.ts';
import { refreshRollups } from '../src/usage/index.ts';

export interface SetSize {
  readonly calls: number;
  readonly callsPerBatch: number;
  readonly tenants: number;
  readonly endpoints: number;
}

/** The last day of the set and how many days it has. */
export const SET_END_MS = Date.UTC(2026, 10, 1);
export const SET_DAYS = 365;
const DAY_SECONDS = 86_400;

/**
 * Fabricates calls in bulk SQL: a year of them, few tenants with many calls and many with few, that begin in different months.
 * Each batch is a stretch of time, as batches that arrive are.
 */
export async function fabricate(store: Store, size: SetSize, tell: (text: string) => void): Promise<void> {
  const batches = Math.ceil(size.calls / size.callsPerBatch);
  for (let batch = 1; batch <= batches; batch++) {
    await insertWork(store, batch, batches, size);
    await countMinutes(store, batch);
    if (batch % 10 === 0) tell(`${batch} of ${batches} batches`);
  }
  const start = performance.now();
  const added = await refreshRollups(store.columns);
  tell(`${added} batches rolled up in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

function insertWork(store: Store, batch: number, batches: number, size: SetSize): Promise<void> {
  const u = (salt: number) => `(cityHash64(n, ${salt}) / 18446744073709551615.)`;
  const seconds = (SET_DAYS * DAY_SECONDS) / batches;
  return store.columns.command(
    `INSERT INTO work (batch, sign, received, trace_id, span_id, call_trace, call_span, is_call, share, tenant, endpoint, consumer,
        own_tenant, own_endpoint, own_consumer, start_at, end_at, is_timed, weight, is_weight_known, service, status, is_error, version, kind)
      SELECT {batch:UInt64}, 1, toDate('2026-11-01'), id, span, id, span, 1, 1000000, t, e, c, t, e, c, at, at + toIntervalMillisecond(20), 1,
        1000000, 1, 'api', if(is_bad, 500, 200), is_bad, concat('v', toString(toMonth(at))), 2
      FROM (
        SELECT n, toFixedString(unhex(leftPad(hex(cityHash64(n, 9)), 32, '0')), 16) AS id, toFixedString(unhex(leftPad(hex(n), 16, '0')), 8) AS span,
          {beginning:Float64} + ${u(1)} * {seconds:Float64} AS second,
          toUInt32(floor({tenants:UInt32} * pow(${u(2)}, 3) * greatest(0.1, (second - {first:Float64}) / {whole:Float64}))) AS tenant_number,
          concat('tenant-', toString(tenant_number)) AS t,
          concat('GET /v1/e', toString(toUInt32(floor({endpoints:UInt32} * pow(${u(3)}, 2))))) AS e,
          concat('user-', toString(tenant_number), '-', toString(toUInt32(floor(20 * pow(${u(4)}, 2))))) AS c,
          fromUnixTimestamp64Milli(toInt64(second * 1000), 'UTC') AS at, cityHash64(n, 5) % 50 = 0 AS is_bad
        FROM (SELECT number + {firstCall:UInt64} AS n FROM numbers({calls:UInt64}))
      ) SETTINGS max_insert_threads = 1`,
    {
      ...{ batch, seconds, tenants: size.tenants, endpoints: size.endpoints, calls: size.callsPerBatch },
      first: SET_END_MS / 1000 - SET_DAYS * DAY_SECONDS,
      whole: SET_DAYS * DAY_SECONDS,
      beginning: SET_END_MS / 1000 - SET_DAYS * DAY_SECONDS + (batch - 1) * seconds,
      firstCall: (batch - 1) * size.callsPerBatch,
    },
  );
}

/** The minutes of a batch and its marker, as the loader counts them. */
function countMinutes(store: Store, batch: number): Promise<void> {
  return store.columns.command(
    `INSERT INTO usage_minute (marker, minute, tenant, endpoint, consumer, calls, known, errors, timed, duration_us)
      SELECT 0, toStartOfMinute(toDateTime(start_at, 'UTC')) AS minute, tenant, endpoint, consumer, sum(toInt128(share)),
        sum(toInt128(share)), sum(toInt128(share) * is_error), sum(toInt128(share)), sum(toInt128(20000) * share / 1000000)
      FROM work WHERE batch = {batch:UInt64} AND is_call = 1 GROUP BY minute, tenant, endpoint, consumer
      UNION ALL SELECT {batch:UInt64}, toDateTime(0, 'UTC'), '', '', '', 1, 0, 0, 0, 0`,
    { batch },
  );
}
