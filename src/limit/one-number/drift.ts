import type { ColumnStore } from '../../store/index.ts';
import type { Limiter } from '../limit.ts';
import type { CompiledLimit } from '../policy/compile.ts';
import { type Level, type Subject, subjectOf } from '../subject.ts';
import { type CountedUnits, counterKey, countUnits, uncounted } from './count-units.ts';
import { type RebuiltLimit, rebuildCounters } from './rebuild.ts';
import { hasOwnWindows, incomparable, partsUs } from './window.ts';

/** A counter beside the calls of its window, in the limit's units. */
export interface DriftRow {
  readonly limit: CompiledLimit;
  readonly per: Readonly<Partial<Record<Level, string>>>;
  readonly fromUs: number;
  /** What the counter says was let pass. */
  readonly admitted: number;
  /** What the calls of the same time say; of them those that were refused, which no counter has. */
  readonly counted: number;
  readonly refused: number;
  /** admitted - (counted - refused): above 0 calls did not come that were let pass, below 0 some came that nobody asked for. */
  readonly drift: number;
}

export interface DriftReport {
  readonly asOfUs: number;
  /** The largest drifts of each limit first. */
  readonly rows: readonly DriftRow[];
  /** Of each limit that was compared: the sum of its drifts, whatever their sign, and over how many counters. */
  readonly sums: readonly { readonly limit: CompiledLimit; readonly counters: number; readonly drift: number }[];
  /** What could not be compared, and why. */
  readonly left: readonly { readonly limit: CompiledLimit; readonly why: string }[];
}

/** Counters of a limit that are looked at: those with the most calls. */
const MOST_COUNTERS = 1_000;

/**
 * Holds counters against the calls of their windows.
 *
 * Takes  subject: only their counters; null: those of everybody, of each limit the 1,000 with the most calls.
 * Holds  nothing is counted by looking. What cannot be compared is named.
 */
export async function driftOf(
  columns: ColumnStore,
  limiter: Limiter,
  subject: Subject | null,
  nowUs: number,
): Promise<DriftReport> {
  const rows: DriftRow[] = [];
  const sums: { limit: CompiledLimit; counters: number; drift: number }[] = [];
  const left: { limit: CompiledLimit; why: string }[] = [];
  for (const limit of limiter.policies.flatMap(({ limits }) => limits)) {
    if (subject !== null && !limit.policy.matches(subject)) continue;
    const why =
      incomparable(limit) ?? (hasOwnWindows(limit) && subject === null ? 'each tenant has windows of its own' : null);
    if (why !== null) {
      left.push({ limit, why });
      continue;
    }
    const counts = await countUnits(columns, limit, subject, nowUs).catch(uncounted);
    if (typeof counts === 'string') {
      left.push({ limit, why: counts });
      continue;
    }
    const found = await rowsOf(limiter, limit, counts, subject, nowUs);
    rows.push(...found);
    sums.push({ limit, counters: found.length, drift: found.reduce((sum, { drift }) => sum + Math.abs(drift), 0) });
  }
  return { asOfUs: nowUs, rows, sums, left };
}

async function rowsOf(
  limiter: Limiter,
  limit: CompiledLimit,
  counts: ReadonlyMap<string, CountedUnits>,
  subject: Subject | null,
  nowUs: number,
): Promise<DriftRow[]> {
  const most = [...counts.values()].sort((a, b) => (a.counted < b.counted ? 1 : -1)).slice(0, MOST_COUNTERS);
  const whose = new Map(most.map((each) => [counterKey(limit, each.subject), each.subject]));
  // Calls that were let pass and never came have a counter only.
  for (const user of subject === null ? limiter.usersOf(limit, MOST_COUNTERS) : [subject])
    if (!counts.has(counterKey(limit, user))) whose.set(counterKey(limit, user), user);
  const rows: DriftRow[] = [];
  for (const [key, user] of whose) {
    const units = counts.get(key);
    const [counted, refused] = [shown(units?.counted), shown(units?.refused)];
    const { before: admitted } = await limiter.look(limit, user);
    rows.push({
      ...{ limit, per: Object.fromEntries(limit.policy.per.map((level) => [level, user[level]])) },
      fromUs: partsUs(limit, user, nowUs)[0]!,
      ...{ admitted, counted, refused, drift: rounded(admitted - counted + refused) },
    });
  }
  return rows.sort((a, b) => Math.abs(b.drift) - Math.abs(a.drift));
}

function shown(micro: bigint | undefined): number {
  return Number(micro ?? 0n) / 1e6;
}

/** Differences of numbers with six decimals have six decimals. */
function rounded(units: number): number {
  return Math.round(units * 1e6) / 1e6;
}

/** Checks the drift now and then, and remembers what it last was. */
export class DriftWatch {
  readonly #columns: ColumnStore;
  readonly #limiter: Limiter;
  readonly #nowUs: () => number;
  #last: DriftReport | null = null;

  constructor(columns: ColumnStore, limiter: Limiter, nowUs: () => number) {
    this.#columns = columns;
    this.#limiter = limiter;
    this.#nowUs = nowUs;
  }

  get last(): DriftReport | null {
    return this.#last;
  }

  async check(): Promise<DriftReport> {
    this.#last = await driftOf(this.#columns, this.#limiter, null, this.#nowUs());
    return this.#last;
  }

  /** Of somebody's own counters; what `last` says stays. */
  of(subject: Subject): Promise<DriftReport> {
    return driftOf(this.#columns, this.#limiter, subjectOf(subject), this.#nowUs());
  }

  rebuild(policy: string | null, mayFall: boolean): Promise<RebuiltLimit[]> {
    return rebuildCounters(this.#columns, this.#limiter, { policy, mayFall, nowUs: this.#nowUs() });
  }
}
