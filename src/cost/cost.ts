import { activeImports } from '../bill/index.ts';
import { type Driver, MILLIS_PER_HOUR, type TimeRange } from '../model/index.ts';
import type { ColumnStore, Store } from '../store/index.ts';
import { allocateSlice, type Share, type WorkTotal, type WorkTotals } from './allocate-slice.ts';
import { modelsInForce } from './cost-model.ts';
import { driverTotals, hoursWithWork, metricIntegrals, podServices } from './queries.ts';
import { type Slice, slicesOf } from './slices.ts';

/** A slice and how it was shared out. */
export interface AllocatedSlice {
  readonly slice: Slice;
  readonly shares: readonly Share[];
}

/**
 * Shares out everything that starts in a range.
 *
 * Takes  range: slices whose charge period starts in it.
 * Gives  one entry per slice, charge period after charge period; memory holds one period at a time.
 * Holds  the shares of a slice add up to its amount; the same inputs give the same shares, digit for digit.
 */
export async function* allocate(store: Store, range: TimeRange): AsyncGenerator<AllocatedSlice> {
  const imports = await activeImports(store);
  const slices = await slicesOf(store.columns, imports, await modelsInForce(store.documents), range);
  const work = await WorkByPeriod.open(store.columns, slices);
  for (const slice of slices) {
    const { pool } = slice;
    if (pool === null) {
      yield { slice, shares: allocateSlice(slice.amountAtto, null, noWork, noIntegrals) };
      continue;
    }
    const period = { fromMs: slice.chargeStartMs, toMs: slice.chargeEndMs };
    const totals = await work.totals(period);
    const integrals = pool.split ? await work.integrals(pool.split.by, period) : noIntegrals;
    yield { slice, shares: allocateSlice(slice.amountAtto, pool, totals, integrals) };
  }
}

const noWork: WorkTotals = { drivers: [], rows: [] };
const noIntegrals: ReadonlyMap<string, bigint> = new Map();

/** Reads the work of one charge period at a time, with all drivers that any slice needs. */
class WorkByPeriod {
  readonly #columns: ColumnStore;
  readonly #drivers: readonly Driver[];
  readonly #byService: boolean;
  readonly #busyHours: readonly number[];
  readonly #podServices: () => Promise<Map<string, string>>;
  #period = '';
  #totals: WorkTotals = noWork;
  #integrals = new Map<string, ReadonlyMap<string, bigint>>();

  private constructor(columns: ColumnStore, slices: readonly Slice[], busyHours: readonly number[]) {
    const pools = slices.flatMap(({ pool }) => pool ?? []);
    this.#columns = columns;
    this.#drivers = [...new Set(pools.map((pool) => pool.driver))];
    this.#byService = pools.some((pool) => pool.split !== undefined || pool.services !== undefined);
    this.#busyHours = busyHours;
    let known: Promise<Map<string, string>> | undefined;
    this.#podServices = () => (known ??= podServices(columns));
  }

  static async open(columns: ColumnStore, slices: readonly Slice[]): Promise<WorkByPeriod> {
    const fromMs = Math.min(...slices.slice(0, 1).map((slice) => slice.chargeStartMs), Number.MAX_SAFE_INTEGER);
    const toMs = slices.reduce((latest, slice) => Math.max(latest, slice.chargeEndMs), 0);
    const busyHours = slices.length === 0 ? [] : await hoursWithWork(columns, { fromMs, toMs });
    return new WorkByPeriod(columns, slices, busyHours);
  }

  async totals(period: TimeRange): Promise<WorkTotals> {
    await this.#turnTo(period);
    return this.#totals;
  }

  async integrals(metric: string, period: TimeRange): Promise<ReadonlyMap<string, bigint>> {
    await this.#turnTo(period);
    const known = this.#integrals.get(metric);
    if (known) return known;
    const byService = new Map<string, bigint>();
    for (const { service, pod, integral } of await metricIntegrals(this.#columns, metric, period)) {
      const name = service !== '' ? service : ((await this.#podServices()).get(pod) ?? '(unknown)');
      byService.set(name, (byService.get(name) ?? 0n) + BigInt(integral));
    }
    this.#integrals.set(metric, byService);
    return byService;
  }

  async #turnTo(period: TimeRange): Promise<void> {
    const key = `${period.fromMs}-${period.toMs}`;
    if (key === this.#period) return;
    this.#period = key;
    this.#integrals = new Map();
    this.#totals = { drivers: this.#drivers, rows: [] };
    if (!this.#hasWork(period)) return;
    const bytes = await driverTotals(this.#columns, period, this.#drivers, this.#byService);
    this.#totals = { drivers: this.#drivers, rows: readTotals(bytes, this.#drivers.length) };
  }

  #hasWork(period: TimeRange): boolean {
    return this.#busyHours.some((hour) => hour + MILLIS_PER_HOUR > period.fromMs && hour < period.toMs);
  }
}

/** Reads RowBinary rows of three texts and `columns` Int128. */
function readTotals(bytes: Buffer, columns: number): WorkTotal[] {
  const rows: WorkTotal[] = [];
  let at = 0;
  const text = () => {
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const value = bytes.toString('utf8', at, at + length);
    at += length;
    return value;
  };
  while (at < bytes.length) {
    const row = { tenant: text(), endpoint: text(), service: text() };
    const totals: bigint[] = [];
    for (let column = 0; column < columns; column++, at += 16) {
      totals.push((bytes.readBigInt64LE(at + 8) << 64n) | bytes.readBigUInt64LE(at));
    }
    rows.push({ ...row, totals });
  }
  return rows;
}
