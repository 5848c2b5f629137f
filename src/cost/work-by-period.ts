import { checkGrain, checkKept, type LetGo, readLetGo } from '../collect/index.ts';
import { compareUtf8, type Driver, MILLIS_PER_HOUR, type TimeRange } from '../model/index.ts';
import { type ColumnStore, Texts } from '../store/index.ts';
import { integralKey, type Measured } from './allocate-slice.ts';
import type { Meters } from './cost-model.ts';
import { meterSums } from './metered.ts';
import type { Step } from './pool.ts';
import { driverQuantity, driverTotals, hoursWithWork, metricIntegrals, podServices, type Quantity } from './queries.ts';
import { driversOf, needsServices, type Rule, reach } from './rule.ts';
import type { Slice } from './slice.ts';
import { noTotals, readTotals, type WorkTotals } from './work-totals.ts';

/** Periods share the numbers of their texts until there are so many that memory counts. */
const MOST_TEXTS = 2 ** 16;

/** A split whose parts have to be asked for. */
interface MeasuredStep {
  readonly key: string;
  readonly over: Step['over'];
  readonly by: Step['by'] | { readonly metric: string };
}

/** Reads what was measured in one charge period at a time, with all that any slice needs. This is the one place that sums of work come from. */
export class WorkByPeriod {
  readonly #columns: ColumnStore;
  /** All periods are read on the ground on which the first one is. */
  readonly #letGo: LetGo;
  readonly #meters: Meters;
  readonly #quantities: readonly Quantity[];
  readonly #byService: boolean;
  readonly #busyHours: readonly number[];
  readonly #podServices: () => Promise<Map<string, string>>;
  #period = '';
  #texts = new Texts();
  #totals: WorkTotals = noTotals(this.#texts);
  #wider: { readonly period: string; readonly totals: WorkTotals } | null = null;
  #integrals = new Map<string, ReadonlyMap<string, bigint>>();

  private constructor(
    columns: ColumnStore,
    letGo: LetGo,
    meters: Meters,
    slices: readonly Slice[],
    quantities: readonly Quantity[],
    busyHours: readonly number[],
  ) {
    this.#columns = columns;
    this.#letGo = letGo;
    this.#meters = meters;
    this.#quantities = quantities;
    this.#byService = rulesIn(slices).some(needsServices);
    this.#busyHours = busyHours;
    let known: Promise<Map<string, string>> | undefined;
    this.#podServices = () => (known ??= podServices(columns, letGo));
  }

  /**
   * Takes  slices: in the order of their charge periods.
   * Fails  RANGE_DROPPED where the work of the first one, or of a billing period that it is shared by, is no longer kept.
   */
  static async open(columns: ColumnStore, slices: readonly Slice[], meters: Meters): Promise<WorkByPeriod> {
    const letGo = await readLetGo(columns);
    const [first] = slices;
    if (first === undefined) return new WorkByPeriod(columns, letGo, meters, [], [], []);
    await checkKept(columns, 'rollups', first.chargeStartMs);
    const rules = rulesIn(slices);
    // A counter's first increase needs the sample before it, of the day before at most.
    if (rules.some((rule) => measuredSteps(rule).some(isMetric)))
      await checkKept(columns, 'samples', first.chargeStartMs - 24 * MILLIS_PER_HOUR);
    const drivers: Driver[] = [...new Set(rules.flatMap(driversOf))];
    const quantities = [...drivers.map(driverQuantity), ...feesIn(slices)];
    const toMs = slices.reduce((latest, slice) => Math.max(latest, slice.chargeEndMs), 0);
    const busy = await hoursWithWork(columns, letGo, { fromMs: first.chargeStartMs, toMs });
    return new WorkByPeriod(columns, letGo, meters, slices, quantities, busy);
  }

  /** Gives what there is to know to share out a slice. */
  async measured(slice: Slice): Promise<Measured> {
    const { pool: rule } = slice;
    const period = { fromMs: slice.chargeStartMs, toMs: slice.chargeEndMs };
    if (rule === null) return { work: noTotals(this.#texts), wider: null, integrals: this.#integrals };
    await this.#turnTo(period);
    for (const step of measuredSteps(rule)) await this.#integrate(step, period);
    const sharesIdle = reach(rule).some(({ idle }) => idle === 'share');
    const wider = sharesIdle ? await this.#widerTotals(slice) : null;
    return { work: this.#totals, wider, integrals: this.#integrals };
  }

  async #integrate({ key, over, by }: MeasuredStep, period: TimeRange): Promise<void> {
    if (this.#integrals.has(key)) return;
    const sums =
      typeof by === 'object' && 'meter' in by
        ? await meterSums(this.#columns, this.#meters, by, period)
        : await this.#metricSums(over, typeof by === 'string' ? by : (by as { metric: string }).metric, period);
    this.#integrals.set(key, sums);
  }

  async #metricSums(over: Step['over'], metric: string, period: TimeRange): Promise<Map<string, bigint>> {
    const sums = new Map<string, bigint>();
    for (const { tenant, service, pod, integral } of await metricIntegrals(this.#columns, metric, period)) {
      // A measurement of no tenant is nobody's: whose it is cannot be told, so it takes no part.
      if (over === 'tenant' && tenant === '') continue;
      const owner = service !== '' ? service : ((await this.#podServices()).get(pod) ?? '(unknown)');
      const name = over === 'tenant' ? tenant : owner;
      sums.set(name, (sums.get(name) ?? 0n) + BigInt(integral));
    }
    return sums;
  }

  async #turnTo(period: TimeRange): Promise<void> {
    const key = `${period.fromMs}-${period.toMs}`;
    if (key === this.#period) return;
    this.#period = key;
    this.#integrals = new Map();
    if (this.#texts.count > MOST_TEXTS) {
      this.#texts = new Texts();
      this.#wider = null;
    }
    this.#totals = await this.#totalsOf(period);
  }

  /** The work of a whole billing period, for amounts of which nobody used anything when they arose. */
  async #widerTotals({ billingStartMs, billingEndMs }: Slice): Promise<WorkTotals> {
    const period = `${billingStartMs}-${billingEndMs}`;
    if (this.#wider?.period !== period) {
      await checkKept(this.#columns, 'rollups', billingStartMs);
      this.#wider = { period, totals: await this.#totalsOf({ fromMs: billingStartMs, toMs: billingEndMs }, true) };
    }
    return this.#wider.totals;
  }

  async #totalsOf(period: TimeRange, isWide = false): Promise<WorkTotals> {
    // Which hours are busy is known of the range of the slices only; a billing period may reach beyond it.
    if (!isWide && !this.#hasWork(period)) return noTotals(this.#texts);
    await checkGrain(this.#columns, this.#letGo, period);
    const bytes = await driverTotals(this.#columns, this.#letGo, period, this.#quantities, this.#byService);
    const names = this.#quantities.map(({ name }) => name);
    return readTotals(bytes, names, this.#texts);
  }

  #hasWork(period: TimeRange): boolean {
    return this.#busyHours.some((hour) => hour + MILLIS_PER_HOUR > period.fromMs && hour < period.toMs);
  }
}

function rulesIn(slices: readonly Slice[]): Rule[] {
  return [...new Set(slices.flatMap(({ pool }) => pool ?? []))];
}

/** The sums that slices of fees are shared by. */
function feesIn(slices: readonly Slice[]): Quantity[] {
  const found = rulesIn(slices).flatMap(({ fees }) => fees ?? []);
  return [...new Map(found.map((quantity) => [quantity.name, quantity])).values()];
}

/** The metrics and meters that a rule splits by. */
function measuredSteps(rule: Rule): MeasuredStep[] {
  const steps = reach(rule).flatMap(({ steps: own, into }): MeasuredStep[] => [
    ...own.map(({ over, by }) => ({ key: integralKey(over, by), over, by })),
    ...(into && typeof into.by === 'object' && 'metric' in into.by
      ? [{ key: integralKey('service', into.by), over: 'service' as const, by: into.by }]
      : []),
  ]);
  const asked = steps.filter(({ key, by }) => key !== '' && by !== 'even');
  return asked.sort((a, b) => compareUtf8(a.key, b.key));
}

function isMetric({ by }: MeasuredStep): boolean {
  return typeof by !== 'object' || !('meter' in by);
}
