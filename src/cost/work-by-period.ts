import { checkGrain, checkKept, type LetGo, readLetGo } from '../collect/index.ts';
import { type Driver, MILLIS_PER_HOUR, type TimeRange } from '../model/index.ts';
import { type ColumnStore, Texts } from '../store/index.ts';
import { driverTotals, hoursWithWork, metricIntegrals, podServices } from './queries.ts';
import type { Slice } from './slices.ts';
import { noTotals, readTotals, type WorkTotals } from './work-totals.ts';

/** Periods share the numbers of their texts until there are so many that memory counts. */
const MOST_TEXTS = 2 ** 16;

export const noIntegrals: ReadonlyMap<string, bigint> = new Map();

/** Reads the work of one charge period at a time, with all drivers that any slice needs. */
export class WorkByPeriod {
  readonly #columns: ColumnStore;
  /** All periods are read on the ground on which the first one is. */
  readonly #letGo: LetGo;
  readonly #drivers: readonly Driver[];
  readonly #byService: boolean;
  readonly #busyHours: readonly number[];
  readonly #podServices: () => Promise<Map<string, string>>;
  #period = '';
  #texts = new Texts();
  #totals: WorkTotals = noTotals(this.#texts);
  #integrals = new Map<string, ReadonlyMap<string, bigint>>();

  private constructor(columns: ColumnStore, letGo: LetGo, slices: readonly Slice[], busyHours: readonly number[]) {
    const pools = slices.flatMap(({ pool }) => pool ?? []);
    this.#columns = columns;
    this.#letGo = letGo;
    this.#drivers = [...new Set(pools.map((pool) => pool.driver))];
    this.#byService = pools.some((pool) => pool.split !== undefined || pool.services !== undefined);
    this.#busyHours = busyHours;
    let known: Promise<Map<string, string>> | undefined;
    this.#podServices = () => (known ??= podServices(columns, letGo));
  }

  /**
   * Takes  slices: in the order of their charge periods.
   * Fails  RANGE_DROPPED where the work of the first one is no longer kept.
   */
  static async open(columns: ColumnStore, slices: readonly Slice[]): Promise<WorkByPeriod> {
    const letGo = await readLetGo(columns);
    const [first] = slices;
    if (first === undefined) return new WorkByPeriod(columns, letGo, [], []);
    await checkKept(columns, 'rollups', first.chargeStartMs);
    // A counter's first increase needs the sample before it, of the day before at most.
    if (slices.some(({ pool }) => pool?.split))
      await checkKept(columns, 'samples', first.chargeStartMs - 24 * MILLIS_PER_HOUR);
    const toMs = slices.reduce((latest, slice) => Math.max(latest, slice.chargeEndMs), 0);
    const range = { fromMs: first.chargeStartMs, toMs };
    return new WorkByPeriod(columns, letGo, slices, await hoursWithWork(columns, letGo, range));
  }

  /** The totals of no work at all. */
  none(): WorkTotals {
    return noTotals(this.#texts);
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
    if (this.#texts.count > MOST_TEXTS) this.#texts = new Texts();
    this.#totals = noTotals(this.#texts);
    if (!this.#hasWork(period)) return;
    await checkGrain(this.#columns, this.#letGo, period);
    const bytes = await driverTotals(this.#columns, this.#letGo, period, this.#drivers, this.#byService);
    this.#totals = readTotals(bytes, this.#drivers, this.#texts);
  }

  #hasWork(period: TimeRange): boolean {
    return this.#busyHours.some((hour) => hour + MILLIS_PER_HOUR > period.fromMs && hour < period.toMs);
  }
}
