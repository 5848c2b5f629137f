/** The tenant of calls for which no resolver found one. */
export const UNKNOWN_TENANT = '(unknown)';

/** A weight of one: weights and sampled quantities are whole millionths. */
export const WEIGHT_ONE = 1_000_000;

/** Span kinds as OTLP numbers them. */
export const SpanKind = { UNSPECIFIED: 0, INTERNAL: 1, SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 } as const;

/**
 * The measured quantities that a pool may be shared by.
 * `calls` and `spans` count; the rest are sums of what spans and log lines measured. docs/reference/drivers.md
 */
export const drivers = [
  'calls',
  'spans',
  'busy_us',
  'db_calls',
  'db_us',
  'ext_calls',
  'ext_us',
  'cpu_us',
  'mem_byte_ms',
  'gpu_us',
  'bytes_in',
  'bytes_out',
  'log_bytes',
  'tokens_in',
  'tokens_out',
  'retries',
  'cold_start',
] as const;

export type Driver = (typeof drivers)[number];

/** Drivers that are absent unless somebody measured them; their coverage is reported. */
export const measuredDrivers = drivers.slice(drivers.indexOf('cpu_us')) as readonly Driver[];

/** Compares two texts by their UTF-8 bytes: the one order of tenants and endpoints everywhere. */
export function compareUtf8(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
