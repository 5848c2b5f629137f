import { type Driver, MILLIS_PER_HOUR, type TimeRange } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';
import type { WorkTotals } from './allocate-slice.ts';
import { driverTotals, hoursWithWork, metricIntegrals, podServices } from './queries.ts';
import type { Slice } from './slices.ts';
import { readTotals } from './work-totals.ts';

export const noWork: WorkTotals = { drivers: [], rows: [] };
export const noIntegrals: ReadonlyMap<string, bigint> = new Map();

/** Reads the work of one charge period at a time, with all drivers that any slice needs. */
export class WorkByPeriod {
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

  /** Takes  slices: in the order of their charge periods. */
  static async open(columns: ColumnStore, slices: readonly Slice[]): Promise<WorkByPeriod> {
    const [first] = slices;
    if (first === undefined) return new WorkByPeriod(columns, [], []);
    const toMs = slices.reduce((latest, slice) => Math.max(latest, slice.chargeEndMs), 0);
    return new WorkByPeriod(columns, slices, await hoursWithWork(columns, { fromMs: first.chargeStartMs, toMs }));
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
