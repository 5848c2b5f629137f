import { type Driver, measuredDrivers } from '../../model/index.ts';

/** What one row of `work` adds to a driver, before it is weighed. */
export const driverTerms: Record<Driver, string> = {
  calls: 'is_call',
  spans: '1',
  busy_us: 'busy_us',
  db_calls: 'db_calls',
  db_us: 'db_us',
  ext_calls: 'ext_calls',
  ext_us: 'ext_us',
  cpu_us: 'ifNull(cpu_us, 0)',
  mem_byte_ms: 'ifNull(mem_byte_ms, 0)',
  gpu_us: 'ifNull(gpu_us, 0)',
  bytes_in: 'ifNull(bytes_in, 0)',
  bytes_out: 'ifNull(bytes_out, 0)',
  log_bytes: 'ifNull(log_bytes, 0)',
  tokens_in: 'if(bitTest(repeats_tokens, 0), 0, ifNull(tokens_in, 0))',
  tokens_out: 'if(bitTest(repeats_tokens, 1), 0, ifNull(tokens_out, 0))',
  retries: 'ifNull(retries, 0)',
  cold_start: 'ifNull(cold_start, 0)',
};

/** What rows of `work` add up to, weighed. */
export function driverSum(driver: Driver): string {
  return `sum(toInt128(${driverTerms[driver]}) * share * sign)`;
}

/** The place of a driver among the bits that say what was measured. Stored: never changed, only added to. */
const measureBits: readonly Driver[] = ['busy_us', ...measuredDrivers];

/** The bits of drivers whose absence shows in coverage. */
export function bitsOf(drivers: readonly Driver[]): number {
  return drivers.reduce((bits, driver) => bits + 2 ** measureBits.indexOf(driver), 0);
}

/** The bits that one row of `work` has of some drivers, or of all. */
export function measuredBits(of: readonly Driver[] = measureBits): string {
  const bits = of.map(
    (driver) => `${driver === 'busy_us' ? 'is_timed' : `(${driver} IS NOT NULL)`} * ${bitsOf([driver])}`,
  );
  return `toUInt32(${bits.join(' + ')})`;
}

/** Whether a row of `work` is known to stand for more than itself. */
export const isSampled = 'is_weight_known = 1 AND weight > 1000000';

/** The hour in which a row of `work` starts, since 1970. */
export const hourOfStart = 'toInt32(intDiv(toUnixTimestamp64Nano(start_at), 3600000000000))';

/** The quarter of an hour in which it starts, in seconds: days of every zone begin at one. */
export const quarterOfStart = 'intDiv(toUnixTimestamp64Nano(start_at), 900000000000) * 900';
