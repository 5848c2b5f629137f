import { Failure, fail } from '../model/index.ts';
import { type Ask, type AskedLine, Decided, type Decision, type RatedCost } from './decision.ts';
import { lineOf, linesOf } from './demand.ts';
import { PoliciesByTenant } from './policy/by-tenant.ts';
import type { CompiledLimit, CompiledPolicy } from './policy/compile.ts';
import { attoUnits } from './policy/policy.ts';
import type {
  Change,
  CounterStore,
  Demand,
  KeptFigures,
  LeaseFigures,
  Line,
  LineOutcome,
  Outcome,
  PartUnits,
  SettleAction,
  Settled,
} from './store/counter-store.ts';
import type { Subject } from './subject.ts';

/** What an endpoint's call costs by the rates, in a currency; null when that is not known. */
export type RatedCostOf = (subject: Subject, currency: string) => RatedCost | null;

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
  #byTenant = new PoliciesByTenant([]);
  #isShared = false;
  #warnedUs = 0;
  readonly counts = { allowed: 0, denied: 0, failedOpen: 0, failedClosed: 0 };

  constructor(options: LimiterOptions) {
    this.#options = options;
  }

  /** What became of leased units; null where nothing is leased. */
  get leases(): LeaseFigures | null {
    return this.#options.store.leases ?? null;
  }

  /** How full the counters are; null where the store does not know. */
  get kept(): KeptFigures | null {
    return this.#options.store.kept ?? null;
  }

  get policies(): readonly CompiledPolicy[] {
    return this.#policies;
  }

  /** In which policies count money. */
  get currencies(): readonly string[] {
    const limits = this.#policies.flatMap((policy) => policy.limits);
    return [...new Set(limits.flatMap(({ spec }) => spec.money?.currency ?? []))];
  }

  usePolicies(policies: readonly CompiledPolicy[]): void {
    this.#policies = policies;
    this.#byTenant = new PoliciesByTenant(policies);
    this.#isShared = policies.some(({ per }) => !per.includes('organisation') && !per.includes('tenant'));
  }

  /** Decides one ask. With the store in memory the answer is there at once. */
  decide(ask: Ask): Decision | Promise<Decision> {
    const { store, nowUs, ratedCostOf, synced } = this.#options;
    const now = nowUs();
    const { policies, made } = this.#byTenant.of(ask.subject.tenant);
    const asked = linesOf(policies, ask, ratedCostOf, now, made);
    if ('unknownCost' in asked) return this.#counted(ask, costUnknown(now));
    const { lines } = asked;
    const { subject, units, least, isPeek, hold } = ask;
    const root = this.#rootOf(subject);
    const demand: Demand = { root, subject, lines, units, least, isPeek, hold };
    let outcome: Outcome | Promise<Outcome>;
    try {
      outcome = store.decide(demand);
    } catch (cause) {
      // A full store has taken nothing: it is for each policy to say what then. Anything else is a bug, and loud.
      if (isFull(cause)) return this.#counted(ask, this.#withoutStore(demand, now, cause));
      throw cause;
    }
    const isAtOnce = !(outcome instanceof Promise) && !(synced !== undefined && mustLast(demand, outcome));
    if (isAtOnce) return this.#read(ask, root, lines, outcome as Outcome);
    const known = outcome instanceof Promise ? outcome : synced!().then(() => outcome);
    return known.then(
      (sure) => this.#read(ask, root, lines, sure),
      (cause: unknown) => this.#counted(ask, this.#withoutStore(demand, now, cause)),
    );
  }

  /** Decides up to 1,000 asks in their order, each by itself. */
  async decideAll(asks: readonly Ask[]): Promise<Decision[]> {
    return Promise.all(asks.map((ask) => this.decide(ask)));
  }

  /** Ends a reservation. Takes  units, money: what it really was; null as reserved. isForgotten: nobody asks for it again. Gives  `currency` where no limit counts in that of the money. */
  async settle(
    reservation: string,
    action: SettleAction,
    units: number | null,
    money: RatedCost | null,
    isForgotten = false,
  ): Promise<Settled> {
    const named = readReservation(reservation);
    if (named === null) return 'unknown';
    const spent = money && { nano: attoUnits(money.amountAtto, 9), currency: money.currency };
    return this.#options.store.settle({ ...named, action, units, money: spent, isForgotten });
  }

  /** What a counter says. Counts nothing. */
  async look(limit: CompiledLimit, subject: Subject): Promise<LineOutcome> {
    const lines = [lineOf(limit, subject, this.#options.nowUs())];
    const look = { root: this.#rootOf(subject), subject, lines, units: 0, least: 0, isPeek: true, hold: null };
    return (await this.#options.store.decide(look)).lines[0]!;
  }

  /** Sets a counter to what was counted elsewhere. Takes  mayFall: otherwise it only rises. */
  async put(limit: CompiledLimit, subject: Subject, units: PartUnits, mayFall: boolean): Promise<Change> {
    const line = lineOf(limit, subject, this.#options.nowUs());
    return this.#options.store.put(this.#rootOf(subject), subject, line, units, mayFall);
  }

  /** Whose counters of a limit may say anything, the first so many; none where the store keeps no names. */
  usersOf(limit: CompiledLimit, most: number): Subject[] {
    return this.#options.store.usersOf(limit, most);
  }

  /** A counter that all organisations share must lie together with those of each. */
  #rootOf(subject: Subject): string {
    return this.#isShared ? '' : rootOf(subject);
  }

  #read(ask: Ask, root: string, lines: readonly AskedLine[], outcome: Outcome): Decision {
    const { isAdmitted, repeat } = outcome;
    const isHeld = ask.hold !== null && isAdmitted && (repeat === 'none' || repeat === 'same');
    // Policies may be others than when it was reserved first, and the limits of another reservation say nothing of this one.
    const isExplained = repeat === 'none' || (repeat === 'same' && outcome.lines.length === lines.length);
    const reservation = isHeld ? reservationName(root, ask.hold.id) : null;
    return this.#counted(ask, new Decided(ask, isExplained ? lines : [], outcome, reservation));
  }

  /** Who only looks is let in nowhere. */
  #counted({ isPeek }: Ask, decision: Decision): Decision {
    if (isPeek) return decision;
    if (decision.isAllowed) this.counts.allowed++;
    else this.counts.denied++;
    return decision;
  }

  /** What each policy wants when the counters do not answer: the strictest of them decides. */
  #withoutStore(demand: Demand, nowUs: number, cause: unknown): Decision {
    const policies = new Set(demand.lines.filter((line) => line.isEnforced).map((line) => line.limit.policy));
    const isAllowed = [...policies].every((policy) => this.#isWithinLocalCap(policy, demand, nowUs));
    if (!demand.isPeek) this.counts[isAllowed ? 'failedOpen' : 'failedClosed']++;
    this.#warnOf(cause, nowUs);
    const none = { binding: null, findings: [], reservation: null, repeat: 'none' } as const;
    const granted = isAllowed ? demand.units : 0;
    const freesAtUs = isAllowed ? 0 : nowUs + 5_000_000;
    const reason = isFull(cause) ? 'store_full' : 'store_unavailable';
    return { isAllowed, reason, granted, nowUs, freesAtUs, wouldPass: 0, ...none };
  }

  /** Every call fails then: a line for each would fill the disk. */
  #warnOf(cause: unknown, nowUs: number): void {
    if (nowUs < this.#warnedUs + 10_000_000) return;
    this.#warnedUs = nowUs;
    const { failedOpen, failedClosed } = this.counts;
    const words = isFull(cause) ? 'the store of the limits is full' : 'the store of the limits does not answer';
    this.#options.warn(words, { failedOpen, failedClosed, cause: String(cause) });
  }

  #isWithinLocalCap({ name, spec }: CompiledPolicy, demand: Demand, nowUs: number): boolean {
    if (spec.onStoreFailure !== 'open') return false;
    const minute = Math.floor(nowUs / 60_000_000);
    const known = this.#localCaps.get(name);
    const units = (known?.minute === minute ? known.units : 0) + demand.units;
    if (units > (spec.localCap ?? 0)) return false;
    if (!demand.isPeek) this.#localCaps.set(name, { minute, units });
    return true;
  }
}

function isFull(cause: unknown): boolean {
  return cause instanceof Failure && cause.code === 'LIMIT_KEYS_FULL';
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
  if (settled === 'currency') throw fail('RESERVATION_CURRENCY');
  throw settled === 'unknown' ? fail('RESERVATION_UNKNOWN') : fail('RESERVATION_OVER', { state: settled });
}
