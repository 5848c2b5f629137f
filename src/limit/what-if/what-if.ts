import { fail } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import type { Decision, RatedCost } from '../decision.ts';
import { Limiter, type RatedCostOf } from '../limit.ts';
import { type CompiledLimit, type CompiledPolicy, compilePolicies, type PolicyVersion } from '../policy/compile.ts';
import type { PlanSpec } from '../policy/plan.ts';
import { type ArrivedCall, callsInOrder } from '../queries.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { type Level, type Subject, subjectOf } from '../subject.ts';

export interface WhatIfQuestion {
  /** What is proposed; what is in shadow is replayed as if it were enforced. */
  readonly policies: readonly PolicyVersion[];
  readonly plans: ReadonlyMap<string, PlanSpec>;
  readonly fromUs: number;
  readonly toUs: number;
  /** What a call costs by the rates, which limits of money count. */
  readonly ratedCostOf: RatedCostOf;
  /** What a call that did not come would have saved; null where nobody knows. */
  readonly savedBy: (subject: Subject) => bigint | null;
}

/** Somebody who would have been limited. */
export interface Limited {
  readonly policy: string;
  readonly limit: string;
  readonly per: Readonly<Partial<Record<Level, string>>>;
  readonly firstUs: number;
  readonly lastUs: number;
  /** Calls that would not have passed, in millionths. */
  readonly limitedMicro: bigint;
  /** What those cost whose cost is known; null where none is. Calls that were refused anyway cost nothing that could be saved. */
  readonly savedAtto: bigint | null;
  /** Of the limited calls: those of which nobody knows the cost, in millionths. */
  readonly unknownCostMicro: bigint;
}

export interface WhatIfReport {
  readonly callsMicro: bigint;
  readonly limitedMicro: bigint;
  /** Calls that were refused when they came; they were asked for again here. */
  readonly refusedBeforeMicro: bigint;
  /** Calls that a limit of money could not count, because no cost is known; what other limits say of them is counted. */
  readonly undecidedMicro: bigint;
  /** Those with the most limited calls first. */
  readonly rows: readonly Limited[];
  /** How many more there are than rows. */
  readonly omitted: number;
  /** Limits that calls cannot replay, and why. */
  readonly left: readonly { readonly policy: string; readonly limit: string; readonly why: string }[];
}

const MOST_KEYS = 500_000;
const MOST_LIMITED = 100_000;
const MOST_ROWS = 10_000;
const ONE = 1_000_000;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Replays stored calls against proposed policies, with the code that decides and a clock that shows the calls' own times.
 *
 * Holds  calls come in their order; memory holds a page of them, and the counters.
 * Fails  RANGE_DROPPED where single calls were let go; LIMIT_KEYS_FULL for more counters than fit.
 */
export async function whatIf(columns: ColumnStore, question: WhatIfQuestion): Promise<WhatIfReport> {
  const replay = new Replay(question);
  for await (const page of callsInOrder(columns, question.fromUs, question.toUs)) {
    for (const call of page) replay.next(call);
    // Others want to be served too.
    await new Promise((turn) => setImmediate(turn));
  }
  return replay.report();
}

/** One run through the calls. */
export class Replay {
  readonly #question: WhatIfQuestion;
  readonly #limiter: Limiter;
  readonly #limited = new Map<string, Writable<Limited>>();
  readonly #policies: readonly CompiledPolicy[];
  #nowUs = 0;
  /** How many calls the one stands for that is decided. */
  #units = 1;
  /** Whether a limit had to do without the cost of that call. */
  #isUnknown = false;
  /** Currencies of limits that assume no cost. */
  readonly #unassumed: ReadonlySet<string>;
  #omitted = 0;
  #sums = { callsMicro: 0n, limitedMicro: 0n, refusedBeforeMicro: 0n, undecidedMicro: 0n };

  constructor(question: WhatIfQuestion) {
    this.#question = question;
    this.#policies = compilePolicies(question.policies.map(enforced), question.plans);
    const money = this.#policies.flatMap(({ limits }) => limits.flatMap(({ spec }) => spec.money ?? []));
    this.#unassumed = new Set(money.filter((each) => each.assumedCost === undefined).map(({ currency }) => currency));
    const nowUs = () => this.#nowUs;
    this.#limiter = new Limiter({
      // Nobody waits for these decisions.
      ...{ store: new MemoryStore({ nowUs, mostKeys: MOST_KEYS, mostHeld: 1, sweepAtOnce: MOST_KEYS * 10 }), nowUs },
      ratedCostOf: (subject, currency) => this.#costOf(subject, currency),
      warn: () => undefined,
    });
    this.#limiter.usePolicies(this.#policies);
  }

  /** Takes  call: none that began before the one before. */
  next({ us, tenant, consumer, endpoint, shareMicro, isRefused }: ArrivedCall): void {
    const subject = subjectOf({ tenant, consumer, endpoint });
    const share = BigInt(shareMicro);
    this.#nowUs = us;
    this.#units = Math.max(1, Math.round(shareMicro / ONE));
    this.#sums.callsMicro += share;
    if (isRefused) this.#sums.refusedBeforeMicro += share;
    const least = this.#units > 1 ? 1 : 0;
    const asked = { subject, units: this.#units, money: null, least, isPeek: false, hold: null };
    this.#isUnknown = false;
    const decision = this.#limiter.decide(asked) as Decision;
    if (decision.reason === 'store_full') throw fail('LIMIT_KEYS_FULL', { keys: MOST_KEYS });
    if (this.#isUnknown || decision.reason === 'cost_unknown') this.#sums.undecidedMicro += share;
    if (decision.reason === 'cost_unknown') return;
    const missing = this.#units - decision.granted;
    if (missing <= 0) return;
    const limited = missing === this.#units ? share : (share * BigInt(missing)) / BigInt(this.#units);
    this.#sums.limitedMicro += limited;
    this.#tell(decision, subject, limited, isRefused);
  }

  /** A cost that nobody knows, and that no limit assumes, is passed over: what other limits say of the call still counts. */
  #costOf(subject: Subject, currency: string): RatedCost | null {
    const cost = this.#question.ratedCostOf(subject, currency);
    if (cost !== null) return { currency, amountAtto: cost.amountAtto * BigInt(this.#units) };
    if (!this.#unassumed.has(currency)) return null;
    this.#isUnknown = true;
    return { currency, amountAtto: 0n };
  }

  #tell(decision: Decision, subject: Subject, limitedMicro: bigint, isRefused: boolean): void {
    const { binding } = decision;
    const [limit, per] = [binding?.limit ?? null, binding?.per ?? {}];
    const key = JSON.stringify([limit?.counterId, per]);
    let row = this.#limited.get(key);
    if (row === undefined) {
      if (this.#limited.size >= MOST_LIMITED) {
        this.#omitted++;
        return;
      }
      const { name = '', id = '' } = { name: limit?.policy.name, id: limit?.id };
      const none = { limitedMicro: 0n, savedAtto: null, unknownCostMicro: 0n };
      row = { policy: name, limit: id, per, firstUs: this.#nowUs, lastUs: this.#nowUs, ...none };
      this.#limited.set(key, row);
    }
    row.lastUs = this.#nowUs;
    row.limitedMicro += limitedMicro;
    if (isRefused) return;
    const each = this.#question.savedBy(subject);
    if (each === null) row.unknownCostMicro += limitedMicro;
    else row.savedAtto = (row.savedAtto ?? 0n) + (each * limitedMicro) / BigInt(ONE);
  }

  report(): WhatIfReport {
    const rows = [...this.#limited.values()].sort((a, b) => (a.limitedMicro < b.limitedMicro ? 1 : -1));
    const limits = this.#policies.flatMap(({ limits }) => limits);
    return {
      ...this.#sums,
      rows: rows.slice(0, MOST_ROWS),
      omitted: Math.max(0, rows.length - MOST_ROWS) + this.#omitted,
      left: limits.flatMap((limit) => {
        const why = notReplayed(limit);
        return why === null ? [] : [{ policy: limit.policy.name, limit: limit.id, why }];
      }),
    };
  }
}

/** A proposal that only watches would show nobody. */
function enforced({ name, version, spec }: PolicyVersion): PolicyVersion {
  return { name, version, spec: { ...spec, mode: 'enforce', onStoreFailure: 'closed' } };
}

function notReplayed({ algorithm, spec, policy }: CompiledLimit): string | null {
  if (algorithm === 'concurrency') return 'calls at once need reservations, which are not kept';
  if (spec.money === undefined && spec.unit !== 'requests')
    return `each call was taken for one of ${spec.unit}: calls do not say how many`;
  if (policy.per.includes('organisation') || policy.spec.match.organisations !== undefined)
    return 'each tenant was taken for its own organisation: calls do not say theirs';
  return null;
}
