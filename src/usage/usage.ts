import { checkKept } from '../collect/index.ts';
import { fail, isTimeZone, MILLIS_PER_HOUR, MILLIS_PER_MINUTE, type TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { readNewestCall, readUsage, type UsageDimension, type UsageFilter, type UsageWindow } from './queries.ts';

/** Of the dimensions those that were asked for; empty where nobody said it. `class` is always said. */
export interface UsageRow extends Partial<Record<UsageDimension, string>> {
  start?: string;
  calls: number;
  /** Of the calls, which sampling makes an estimate: 0 where every call was seen, null where no sender said how it sampled. */
  standardError: number | null;
  errors: number;
  /** Of the calls whose size is known; null where none is. */
  bytesIn: number | null;
  bytesOut: number | null;
  /** Of the calls that said how many they carried, such as those of a bulk API; null where none did. */
  records: number | null;
  averageMs: number | null;
}

export interface UsageReport {
  readonly window: UsageWindow;
  readonly timeZone: string;
  readonly calls: number;
  readonly coverage: { readonly weight: number | null };
  readonly newestCall: string | null;
  readonly rows: readonly UsageRow[];
}

export interface UsageQuestion {
  readonly range: TimeRange;
  readonly by: readonly UsageDimension[];
  readonly window: UsageWindow;
  readonly timeZone: string;
  /** Only calls with all of these. */
  readonly only?: UsageFilter;
}

const MOST_WINDOWS = 50_000;
const windowMillis = { minute: MILLIS_PER_MINUTE, hour: MILLIS_PER_HOUR, day: 24 * MILLIS_PER_HOUR };

/**
 * Counts calls over a range, by what is asked for.
 *
 * Takes  range: whole minutes. by: dimensions of the rows. window: of the rows' start; `none` for one figure over the range.
 *        only: values that the calls have. timeZone: IANA name; days and hours begin there.
 * Gives  rows in the order of start and of the dimensions. A window without calls has no row.
 * Fails  PARAMETER_INVALID, RANGE_TOO_LONG; RANGE_DROPPED where the range begins before what is kept.
 */
export async function usageReport(store: Store, question: UsageQuestion): Promise<UsageReport> {
  const { range, by, window, timeZone, only } = question;
  if (range.fromMs % MILLIS_PER_MINUTE !== 0 || range.toMs % MILLIS_PER_MINUTE !== 0) {
    throw fail('PARAMETER_INVALID', { reason: 'from and to must be whole minutes' });
  }
  if (!isTimeZone(timeZone) || !/^[A-Za-z]/.test(timeZone)) {
    throw fail('PARAMETER_INVALID', { reason: `${timeZone} is not a time zone of the IANA database` });
  }
  if (window !== 'none' && (range.toMs - range.fromMs) / windowMillis[window] > MOST_WINDOWS) {
    throw fail('RANGE_TOO_LONG', { window, windows: MOST_WINDOWS });
  }
  await checkKept(store.columns, 'rollups', range.fromMs);
  const rows = await readUsage(store.columns, range, by, window, timeZone, only);
  let [calls, known] = [0n, 0n];
  const answer = rows.map((row): UsageRow => {
    calls += BigInt(row.n);
    known += BigInt(row.n_known);
    return {
      ...(window === 'none' ? {} : { start: row.start }),
      ...Object.fromEntries(by.map((name) => [name, row[name]])),
      calls: Number(row.n) / 1e6,
      standardError: BigInt(row.n_known) > 0n ? Math.sqrt(Number(row.n_variance)) / 1e6 : null,
      errors: Number(row.n_errors) / 1e6,
      bytesIn: BigInt(row.n_sized_in) > 0n ? Number(row.n_in) : null,
      bytesOut: BigInt(row.n_sized_out) > 0n ? Number(row.n_out) : null,
      records: BigInt(row.n_counted_records) > 0n ? Number(row.n_records) : null,
      averageMs: BigInt(row.n_timed) > 0n ? (Number(row.n_duration) / Number(row.n_timed)) * 1000 : null,
    };
  });
  return {
    window,
    timeZone,
    calls: Number(calls) / 1e6,
    coverage: { weight: calls > 0n ? Number(known) / Number(calls) : null },
    newestCall: await readNewestCall(store.columns),
    rows: answer,
  };
}
