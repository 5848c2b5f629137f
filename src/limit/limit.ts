import { fail } from '../model/index.ts';
import { type Ask, type AskedLine, Decided, type Decision, type RatedCost } from './decision.ts';
import { linesOf, type Made } from './demand.ts';
import type { CompiledPolicy } from './policy/compile.ts';
import type { CounterStore, Demand, Line, Outcome, SettleAction, Settled } from './store/counter-store.ts';
import type { Subject } from './subject.ts';

/** What an endpoint's call costs by the rates; null when that is not known. */
export type RatedCostOf = (subject: Subject) => RatedCost | null;

export interface LimiterOptions {
  readonly store: CounterStore;
  readonly nowUs: () => number;
  readonly ratedCostOf: RatedCostOf;
  /** Waits until what was counted survives a crash; none where the store sees to that. */
  readonly synced?: () => Promise<void>;
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
}

/** How long a reservation lives that does not say, and at most. */
export const TTL_US = { usual: 60_000_000, longest: 86_400_000_000 } as const;

/**
 * Answers whether calls may pass: reads the policies, asks the store once, explains what it said.
 *
 * Holds  all limits of a decision are taken or none; what is denied takes nothing; the answer names every limit it looked at.
 */
export class Limiter {
  readonly #options: LimiterOptions;
  readonly #localCaps = new Map<string, { minute: number; units: number }>();
  #policies: readonly CompiledPolicy[] = [];
  #made: Made = { lines: [], ofLimits: [] };
  #isShared = false;
  readonly counts = { allowed: 0, denied: 0, failedOpen: 0, failedClosed: 0 };

  constructor(options: LimiterOptions) {
    this.#options = options;
  }

  get policies(): readonly CompiledPolicy[] {
    return this.#policies;
  }

  usePolicies(policies: readonly CompiledPolicy[]): void {
    this.#policies = policies;
    this.#made = { lines: [], ofLimits: [] };
    this.#isShared = policies.some(({ per }) => !per.includes('organisation') && !per.includes('tenant'));
  }

  /** Decides one ask. With the store in memory the answer is there at once. */
  decide(ask: Ask): Decision | Promise<Decision> {
    const { store, nowUs, ratedCostOf, synced } = this.#options;
    const now = nowUs();
    const asked = linesOf(this.#policies, ask, ratedCostOf, now, this.#made);
    if ('unknownCost' in asked) return this.#counted(costUnknown(now));
    const { lines } = asked;
    const { subject, units, least, isPeek, hold } = ask;
    // A counter that all organisations share must lie together with those of each.
    const root = this.#isShared ? '' : rootOf(subject);
    const demand: Demand = { root, subject, lines, units, least, isPeek, hold };
    const outcome = store.decide(demand);
    if (!(outcome instanceof Promise) && !(synced !== undefined && mustLast(demand, outcome)))
      return this.#read(ask, root, lines, outcome);
    const known = outcome instanceof Promise ? outcome : synced!().then(() => outcome);
    return known.then(
      (sure) => this.#read(ask, root, lines, sure),
      (cause: unknown) => this.#counted(this.#withoutStore(demand, now, cause)),
    );
  }

  /** Decides up to 1,000 asks in their order, each by itself. */
  async decideAll(asks: readonly Ask[]): Promise<Decision[]> {
    return Promise.all(asks.map((ask) => this.decide(ask)));
  }

  /** Ends a reservation. Takes  units, money: what it really was; null as reserved. */
  async settle(
    reservation: string,
    action: SettleAction,
    units: number | null,
    money: RatedCost | null,
  ): Promise<Settled> {
    const named = readReservation(reservation);
    if (named === null) return 'unknown';
    const nanoMoney = money === null ? null : Number((money.amountAtto + 999_999_999n) / 1_000_000_000n);
    return this.#options.store.settle({ ...named, action, units, nanoMoney });
  }

  #read(ask: Ask, root: string, lines: readonly AskedLine[], outcome: Outcome): Decision {
    const isHeld = ask.hold !== null && outcome.isAdmitted && outcome.repeat !== 'other';
    return this.#counted(new Decided(ask, lines, outcome, isHeld ? reservationName(root, ask.hold.id) : null));
  }

  #counted(decision: Decision): Decision {
    if (decision.isAllowed) this.counts.allowed++;
    else this.counts.denied++;
    return decision;
  }

  /** What each policy wants when the counters do not answer: the strictest of them decides. */
  #withoutStore(demand: Demand, nowUs: number, cause: unknown): Decision {
    const policies = new Set(demand.lines.filter((line) => line.isEnforced).map((line) => line.limit.policy));
    const isAllowed = [...policies].every((policy) => this.#isWithinLocalCap(policy, demand, nowUs));
    this.counts[isAllowed ? 'failedOpen' : 'failedClosed']++;
    this.#options.warn('the store of the limits does not answer', { isAllowed, cause: String(cause) });
    const none = { binding: null, findings: [], reservation: null, repeat: 'none' } as const;
    const granted = isAllowed ? demand.units : 0;
    const freesAtUs = isAllowed ? 0 : nowUs + 5_000_000;
    return { isAllowed, reason: 'store_unavailable', granted, nowUs, freesAtUs, wouldPass: 0, ...none };
  }

  #isWithinLocalCap({ name, spec }: CompiledPolicy, demand: Demand, nowUs: number): boolean {
    if (spec.onStoreFailure !== 'open') return false;
    const minute = Math.floor(nowUs / 60_000_000);
    const known = this.#localCaps.get(name);
    const units = (known?.minute === minute ? known.units : 0) + demand.units;
    if (units > (spec.localCap ?? 0)) return false;
    this.#localCaps.set(name, { minute, units });
    return true;
  }
}

/** What a policy that is closed when counters fail has admitted must not be forgotten either. */
function mustLast({ lines, isPeek }: Demand, { isAdmitted }: Outcome): boolean {
  return isAdmitted && !isPeek && lines.some(isStrict);
}

function isStrict({ limit, isEnforced }: Line): boolean {
  return isEnforced && limit.policy.spec.onStoreFailure === 'closed';
}

function costUnknown(nowUs: number): Decision {
  const none = { binding: null, findings: [], reservation: null, granted: 0, wouldPass: 0 } as const;
  return { isAllowed: false, reason: 'cost_unknown', repeat: 'none', nowUs, freesAtUs: -1, ...none };
}

/** Counters that one decision may touch lie together: those of one organisation. */
function rootOf({ organisation, tenant }: Subject): string {
  return organisation || tenant;
}

/** A reservation says whose it is, so that the store finds it. */
function reservationName(root: string, id: string): string {
  return `${Buffer.from(root).toString('base64url')}.${id}`;
}

function readReservation(name: string): { root: string; id: string } | null {
  const match = /^([A-Za-z0-9_-]{0,2800})\.([A-Za-z0-9_-]{1,100})$/.exec(name);
  return match === null ? null : { root: Buffer.from(match[1]!, 'base64url').toString(), id: match[2]! };
}

/** Throws what a refused settlement means. Gives  whether it was done before. */
export function checkSettled(settled: Settled): 'done' | 'already' {
  if (settled === 'done' || settled === 'already') return settled;
  throw settled === 'unknown' ? fail('RESERVATION_UNKNOWN') : fail('RESERVATION_OVER', { state: settled });
}
