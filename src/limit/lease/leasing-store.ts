import { randomUUID } from 'node:crypto';
import type { CompiledLimit } from '../policy/compile.ts';
import {
  type Change,
  type CounterStore,
  type Demand,
  LEASE,
  type LeaseFigures,
  type Line,
  type LineOutcome,
  type Outcome,
  type PartUnits,
  type Settled,
  type Settlement,
} from '../store/counter-store.ts';
import type { Subject } from '../subject.ts';

/** Units that were taken of counters which several nodes share, to be given out here. */
interface Lease {
  readonly id: string;
  readonly root: string;
  readonly size: number;
  left: number;
  readonly endsUs: number;
  /** What the store's clock was ahead of this node's. */
  readonly aheadUs: number;
  readonly lines: readonly LineOutcome[];
}

/** What this node knows of one set of counters. */
interface Stock {
  /** Units asked for lately; what is a second old counts a third. */
  heat: number;
  heatUs: number;
  /** Units that were free when the store last answered. */
  free: number;
  lease: Lease | null;
  taking: Promise<void> | null;
}

export interface LeasingOptions {
  /** The counters that all nodes share. */
  readonly store: CounterStore;
  /** Microseconds of a clock that does not jump. */
  readonly nowUs: () => number;
}

/** How long a lease lasts at most; shorter where its window, or the part of it, ends before. */
export const LEASE_US = 5_000_000;
/** How long the store remembers a lease that is over, so that what is left can come back. */
const RETURN_US = 10_000_000;
/** At most so large a part of what is free, so that ten nodes leave each other half of it. */
const SHARE = 20;
const FADES_US = 1_000_000;
const MOST_STOCKS = 10_000;
const SWEEP_MS = 100;

/**
 * Counters of several nodes, with leases: where a policy says `onStoreFailure: lease`, this node takes units for about a second of its
 * own demand at once and decides by itself until they are used. Everything else is asked of the store, call by call.
 *
 * Holds  a lease is counted in full when it is taken, and used before its window, or the part of a rolling one, ends: windows never
 *        admit more than their amount. What is not used is given back; what a node takes with it when it dies stays taken.
 * From   docs/decisions/0027-leases-end-with-their-window.md
 */
export class LeasingStore implements CounterStore {
  readonly #options: LeasingOptions;
  readonly #stocks = new Map<string, Stock>();
  readonly #ending = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #used = 0;
  #returned = 0;
  #lost = 0;

  constructor(options: LeasingOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  get leases(): LeaseFigures {
    let outstanding = 0;
    for (const { lease } of this.#stocks.values()) outstanding += lease?.left ?? 0;
    return { outstanding, used: this.#used, returned: this.#returned, lost: this.#lost };
  }

  decide(demand: Demand): Outcome | Promise<Outcome> {
    const stock = isLeasable(demand) ? this.#stockOf(demand) : null;
    if (stock === null) return this.#options.store.decide(demand);
    const nowUs = this.#options.nowUs();
    stock.heat = heatAt(stock, nowUs) + demand.units;
    stock.heatUs = nowUs;
    return this.#fromLease(stock, demand, nowUs) ?? this.#beyond(stock, demand, nowUs);
  }

  settle(settlement: Settlement): Settled | Promise<Settled> {
    return this.#options.store.settle(settlement);
  }

  put(root: string, subject: Subject, line: Line, units: PartUnits, mayFall: boolean): Change | Promise<Change> {
    return this.#options.store.put(root, subject, line, units, mayFall);
  }

  usersOf(limit: CompiledLimit, most: number): Subject[] {
    return this.#options.store.usersOf(limit, most);
  }

  /** Gives back what is left of leases that are over, and forgets what nobody asks for. */
  sweep(): void {
    const nowUs = this.#options.nowUs();
    for (const [key, stock] of this.#stocks) {
      if (stock.lease !== null && nowUs >= stock.lease.endsUs) this.#end(stock);
      if (stock.lease === null && stock.taking === null && heatAt(stock, nowUs) < 1e-6) this.#stocks.delete(key);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const stock of this.#stocks.values()) this.#end(stock);
    await Promise.all(this.#ending);
    await this.#options.store.close();
  }

  #stockOf(demand: Demand): Stock | null {
    const key = keyOf(demand);
    const known = this.#stocks.get(key);
    if (known !== undefined) return known;
    if (this.#stocks.size >= MOST_STOCKS) return null;
    const stock: Stock = { heat: 0, heatUs: 0, free: 0, lease: null, taking: null };
    this.#stocks.set(key, stock);
    return stock;
  }

  #fromLease({ lease }: Stock, { units }: Demand, nowUs: number): Outcome | null {
    if (lease === null || lease.left < units || nowUs >= lease.endsUs) return null;
    lease.left -= units;
    this.#used += units;
    const { lines, aheadUs } = lease;
    return { isAdmitted: true, repeat: 'none', granted: units, nowUs: nowUs + aheadUs, lines };
  }

  /** Of many who ask at once, one takes a lease for all; who finds nothing in it asks the store, whose answer says why not. */
  async #beyond(stock: Stock, demand: Demand, nowUs: number): Promise<Outcome> {
    if (stock.taking === null) {
      // What is left goes back first, so that the store does not refuse for the lack of it.
      this.#end(stock);
      const wanted = wantedOf(stock, demand.units);
      if (wanted === 0) return this.#direct(stock, demand);
      stock.taking = this.#take(stock, demand, wanted, nowUs).finally(() => {
        stock.taking = null;
      });
    }
    await stock.taking;
    return this.#fromLease(stock, demand, this.#options.nowUs()) ?? this.#direct(stock, demand);
  }

  async #direct(stock: Stock, demand: Demand): Promise<Outcome> {
    const outcome = await this.#options.store.decide(demand);
    stock.free = freeAfter(demand.lines, outcome);
    return outcome;
  }

  async #take(stock: Stock, demand: Demand, wanted: number, sentUs: number): Promise<void> {
    const id = randomUUID();
    const lines = demand.lines.map((line) => ({ ...line, cost: wanted * line.unitCost }));
    const hold = { id, ttlUs: LEASE_US + RETURN_US, fingerprint: LEASE };
    const outcome = await this.#options.store.decide({ ...demand, lines, units: wanted, least: demand.units, hold });
    stock.free = freeAfter(lines, outcome);
    if (!outcome.isAdmitted) return;
    const { granted, nowUs } = outcome;
    stock.lease = {
      ...{ id, root: demand.root, size: granted, left: granted, aheadUs: nowUs - sentUs },
      // Counted from before it was sent: this node's end is never after the store's.
      endsUs: sentUs + Math.min(LEASE_US, windowEndUs(lines, outcome) - nowUs),
      lines: outcome.lines.map((line) => ({ ...line, before: line.after, isOver: false, freesAtUs: 0 })),
    };
  }

  #end(stock: Stock): void {
    const { lease } = stock;
    stock.lease = null;
    if (lease === null || lease.left === 0) return;
    const { id, root, size, left } = lease;
    const settled = async () =>
      this.#options.store.settle({ root, id, action: 'commit', units: size - left, money: null, isForgotten: true });
    const ending = settled()
      .catch(() => 'unknown' as const)
      .then((what) => {
        if (what === 'done') this.#returned += left;
        else this.#lost += left;
        this.#ending.delete(ending);
      });
    this.#ending.add(ending);
  }
}

/** Money depends on the call, places of calls under way and reservations are ended one by one, and a look must not take anything. */
function isLeasable({ lines, units, hold, isPeek, least }: Demand): boolean {
  if (hold !== null || isPeek || least > 0 || units <= 0 || lines.length === 0) return false;
  return lines.every(({ limit, isEnforced, isMoney }) => {
    const { algorithm, policy } = limit;
    return policy.spec.onStoreFailure === 'lease' && isEnforced && !isMoney && algorithm !== 'concurrency';
  });
}

/** Calls that touch the same counters, as much of each, share a lease. Names hold no control characters. */
function keyOf({ root, subject, lines }: Demand): string {
  let key = root;
  for (const { limit, amount, ceiling, unitCost } of lines) {
    key += `\n${limit.counterId}\t${amount}\t${ceiling}\t${unitCost}\t${subject.organisation}`;
    for (const level of limit.policy.per) key += `\t${subject[level]}`;
  }
  return key;
}

function heatAt({ heat, heatUs }: Stock, nowUs: number): number {
  return heat * Math.exp(Math.min(0, heatUs - nowUs) / FADES_US);
}

/** As much as was asked for in about a second, in whole calls; 0 where a lease would be for one call or none. */
function wantedOf({ heat, free }: Stock, units: number): number {
  const calls = Math.floor(Math.min(heat, free / SHARE) / units);
  return calls < 2 ? 0 : calls * units;
}

/** How many units are free after an answer, of all lines together. */
function freeAfter(lines: readonly Line[], { lines: outcomes, isAdmitted, granted }: Outcome): number {
  let free = Number.MAX_SAFE_INTEGER;
  lines.forEach(({ unitCost }, i) => {
    if (unitCost === 0) return;
    free = Math.min(free, outcomes[i]!.fits / unitCost - (isAdmitted ? granted : 0));
  });
  return Math.max(0, Math.floor(free));
}

/** When the first of the windows that units were taken in is over; a rate has none. */
function windowEndUs(lines: readonly Line[], { lines: outcomes, nowUs }: Outcome): number {
  let endUs = Number.POSITIVE_INFINITY;
  lines.forEach(({ limit }, i) => {
    if (limit.algorithm === 'rolling') endUs = Math.min(endUs, (Math.floor(nowUs / limit.partUs) + 1) * limit.partUs);
    else if (limit.algorithm !== 'rate') endUs = Math.min(endUs, outcomes[i]!.resetsAtUs);
  });
  return endUs;
}
