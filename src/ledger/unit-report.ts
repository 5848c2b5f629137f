import { FIXED_SOURCE, modelsInForce, shareOut, storedAmount } from '../cost/index.ts';
import {
  compareUtf8,
  type Driver,
  divideHalfEven,
  drivers,
  formatMoney,
  grouped,
  type TimeRange,
} from '../model/index.ts';
import type { Store } from '../store/index.ts';
import {
  callsReached,
  type PostedRow,
  postedUnits,
  type UnitDimension,
  type UnitWorkRow,
  unitDimensions,
  unitWork,
} from './unit-queries.ts';

/** What one call takes and costs, on the average of a group of calls. Null is unknown. */
export interface UnitRow {
  tenant?: string;
  endpoint?: string;
  service?: string;
  region?: string;
  version?: string;
  calls: number;
  failedCalls: number;
  direct: string;
  full: string;
  directPerCall: string | null;
  fullPerCall: string | null;
  /** Of charges on bills. */
  infrastructurePerCall: string | null;
  /** Of pools of fees. */
  feesPerCall: string | null;
  /** What calls cost that failed. */
  errorCost: string;
  /** What repeated attempts cost, and the work that they called. */
  retryCost: string;
  cpuMsPerCall: number | null;
  memoryMbSecondsPerCall: number | null;
  bytesOutPerCall: number | null;
  dbCallsPerCall: number | null;
  logBytesPerCall: number | null;
  extCallsPerCall: number | null;
}

/** Quantities of a call, and what a unit of theirs is divided by to be shown. */
const shown = [
  ['cpuMsPerCall', 'cpu_us', 1000n],
  ['memoryMbSecondsPerCall', 'mem_byte_ms', 1_000_000_000n],
  ['bytesOutPerCall', 'bytes_out', 1n],
  ['dbCallsPerCall', 'db_calls', 1n],
  ['logBytesPerCall', 'log_bytes', 1n],
  ['extCallsPerCall', 'ext_calls', 1n],
] as const satisfies readonly (readonly [keyof UnitRow, Driver, bigint])[];

interface Sum {
  readonly keys: Partial<Record<UnitDimension, string>>;
  calls: bigint;
  failedCalls: bigint;
  direct: bigint;
  full: bigint;
  infrastructure: bigint;
  fees: bigint;
  errors: bigint;
  retries: bigint;
  readonly totals: Map<Driver, bigint>;
  readonly measured: Map<Driver, bigint>;
}

/** What posted amounts stand for where no work of the range tells: of other times, or for none of the calls. */
const UNKNOWN = '(unknown)';

/**
 * Says what a call takes and costs, by tenant, endpoint, service, region or version.
 *
 * An amount was shared out over tenants and endpoints; below these it is told apart here, by the work of the whole range in the same
 * driver, for display only.
 *
 * Takes  range: charges and work that start in it. by: dimensions of the rows.
 * Holds  amounts of rows add up to what tenants owe for the range, to the last unit.
 * From   docs/reference/metrics.md
 */
export async function unitReport(
  store: Store,
  range: TimeRange,
  by: readonly UnitDimension[],
  currency: string,
): Promise<UnitRow[]> {
  const posted = await postedUnits(store.columns, range, currency);
  const asked = new Set<Driver>([
    ...shown.map(([, driver]) => driver),
    'calls',
    ...posted.flatMap(({ driver }) => driverOf(driver)),
  ]);
  const fine = unitDimensions.filter(
    (name) =>
      name === 'tenant' ||
      name === 'endpoint' ||
      by.includes(name) ||
      (name === 'service' && posted.some(({ service }) => service !== '')),
  );
  const work = await unitWork(store.columns, range, fine, [...asked]);
  const feePools = await poolsOfFees(store);
  const sums = new Map<string, Sum>();
  const sumAt = (row: Readonly<Record<UnitDimension, string>>): Sum => {
    const keys = Object.fromEntries(by.map((name) => [name, row[name]]));
    const key = JSON.stringify(by.map((name) => row[name]));
    const sum = sums.get(key) ?? emptySum(keys);
    sums.set(key, sum);
    return sum;
  };
  for (const row of work) addWork(sumAt(row), row, [...asked]);
  // A call is in one tenant and endpoint, and reaches any number of services.
  const reached = by.some((name) => name !== 'tenant' && name !== 'endpoint');
  for (const row of reached ? await callsReached(store.columns, range, by) : work.map(callsOf)) {
    const sum = sumAt(row);
    sum.calls += BigInt(row.calls);
    sum.failedCalls += BigInt(row.failed_calls);
  }
  const workOf = grouped(work, ({ tenant, endpoint }) => JSON.stringify([tenant, endpoint]));
  for (const row of posted) {
    for (const { at, amount } of partsOf(row, workOf.get(JSON.stringify([row.tenant, row.endpoint])) ?? []))
      addAmount(sumAt(at), row, at, amount, feePools.has(row.pool));
  }
  return [...sums.values()]
    .map(rowOf)
    .sort((a, b) => by.map((name) => compareUtf8(a[name]!, b[name]!)).find((order) => order !== 0) ?? 0);
}

function callsOf(row: UnitWorkRow) {
  const calls = row.total_calls!;
  return { ...row, calls, failed_calls: Number(row.failed) === 1 ? calls : '0' };
}

/** Tells an amount apart by the work that it was shared by, in the same driver; of a step-down only that service's. */
function partsOf(
  row: PostedRow,
  work: readonly UnitWorkRow[],
): { readonly at: UnitWorkRow; readonly amount: bigint }[] {
  const amount = storedAmount(row.amount);
  const [driver] = driverOf(row.driver);
  const takers = work.filter(({ service }) => row.service === '' || service === row.service);
  const weights = takers.map((taker) => positive(BigInt(taker[`total_${driver ?? 'calls'}`] ?? '0')));
  if (!weights.some((weight) => weight > 0n)) {
    const { tenant, endpoint, service } = row;
    const at = {
      tenant,
      endpoint,
      service: service || UNKNOWN,
      region: UNKNOWN,
      version: UNKNOWN,
      failed: 0,
      repeated: 0,
    };
    return [{ at: at as UnitWorkRow, amount }];
  }
  return shareOut(amount, weights).map((part, place) => ({ at: takers[place]!, amount: part }));
}

function driverOf(driver: string): Driver[] {
  return drivers.filter((name) => name === driver);
}

function addWork(sum: Sum, row: UnitWorkRow, asked: readonly Driver[]): void {
  for (const driver of asked) {
    sum.totals.set(driver, (sum.totals.get(driver) ?? 0n) + BigInt(row[`total_${driver}`]!));
    sum.measured.set(driver, (sum.measured.get(driver) ?? 0n) + BigInt(row[`measured_${driver}`]!));
  }
}

function addAmount(sum: Sum, { kind, source }: PostedRow, at: UnitWorkRow, amount: bigint, isFee: boolean): void {
  sum.full += amount;
  if (kind === 'direct') sum.direct += amount;
  if (source !== FIXED_SOURCE) sum.infrastructure += amount;
  if (isFee) sum.fees += amount;
  if (Number(at.failed) === 1) sum.errors += amount;
  if (Number(at.repeated) === 1) sum.retries += amount;
}

function emptySum(keys: Sum['keys']): Sum {
  const amounts = { direct: 0n, full: 0n, infrastructure: 0n, fees: 0n, errors: 0n, retries: 0n };
  return { keys, calls: 0n, failedCalls: 0n, ...amounts, totals: new Map(), measured: new Map() };
}

function rowOf(sum: Sum): UnitRow {
  const perCall = (amount: bigint) =>
    sum.calls > 0n ? formatMoney(divideHalfEven(amount, sum.calls) * 1_000_000n, 12) : null;
  const quantities = shown.map(([name, driver, unit]) => {
    const isKnown = sum.calls > 0n && (sum.measured.get(driver) ?? 0n) > 0n;
    return [name, isKnown ? quotient(sum.totals.get(driver)!, sum.calls * unit) : null] as const;
  });
  return {
    ...sum.keys,
    ...{ calls: Number(sum.calls) / 1e6, failedCalls: Number(sum.failedCalls) / 1e6 },
    ...{ direct: formatMoney(sum.direct), full: formatMoney(sum.full) },
    ...{ directPerCall: perCall(sum.direct), fullPerCall: perCall(sum.full) },
    ...{ infrastructurePerCall: perCall(sum.infrastructure), feesPerCall: perCall(sum.fees) },
    ...{ errorCost: formatMoney(sum.errors), retryCost: formatMoney(sum.retries) },
    ...(Object.fromEntries(quantities) as Record<(typeof shown)[number][0], number | null>),
  };
}

/** Six decimals of a quotient of whole numbers of any size. */
function quotient(dividend: bigint, divisor: bigint): number {
  return Number(divideHalfEven(dividend * 1_000_000n, divisor)) / 1e6;
}

function positive(value: bigint): bigint {
  return value > 0n ? value : 0n;
}

async function poolsOfFees({ documents }: Store): Promise<ReadonlySet<string>> {
  const models = await modelsInForce(documents);
  return new Set(models.flatMap(({ spec }) => spec.pools.flatMap(({ id, fees }) => (fees ? [id] : []))));
}
