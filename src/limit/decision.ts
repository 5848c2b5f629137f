import type { CompiledLimit } from './policy/compile.ts';
import type { Demand, Line, LineOutcome, Outcome } from './store/counter-store.ts';
import type { Level, Subject } from './subject.ts';

/** What somebody wants to do. */
export interface Ask {
  readonly subject: Subject;
  /** Units of the call, before weights: requests, tokens. Whole, not negative. */
  readonly units: number;
  /** What it will cost, in atto-units of a currency; null: what the endpoint's calls cost. */
  readonly money: RatedCost | null;
  /** The least that is of use, where a part of it is; 0: all. */
  readonly least: number;
  readonly isPeek: boolean;
  readonly hold: Demand['hold'];
}

export interface RatedCost {
  readonly amountAtto: bigint;
  readonly currency: string;
}

/** One limit that was looked at, in its own units; of money, units of 10^-decimals. */
export interface Finding {
  readonly limit: CompiledLimit;
  /** Who asked; of it, `per` is what the policy tells apart. */
  readonly subject: Subject;
  readonly per: Readonly<Partial<Record<Level, string>>>;
  readonly amount: number;
  readonly ceiling: number;
  readonly cost: number;
  readonly outcome: LineOutcome;
  readonly isEnforced: boolean;
  /** What it says of itself: within, or how near. */
  readonly zone: 'ok' | 'warning' | 'overdraft' | 'over' | 'never';
  readonly override: string;
}

/** What became of an ask, and why. */
export interface Decision {
  readonly isAllowed: boolean;
  readonly reason:
    | 'allowed'
    | 'over_limit'
    | 'cost_exceeds_limit'
    | 'cost_unknown'
    | 'store_unavailable'
    | 'store_full'
    /** The id is reserved for something else. */
    | 'reservation_differs'
    /** What the id had reserved was given back. */
    | 'reservation_over';
  readonly granted: number;
  readonly repeat: Outcome['repeat'];
  readonly nowUs: number;
  /** The limit that decided, or the one with the least left. */
  readonly binding: Finding | null;
  readonly findings: readonly Finding[];
  /** When the same would pass; 0 now, -1 never. */
  readonly freesAtUs: number;
  /** The most units that would have passed. */
  readonly wouldPass: number;
  readonly reservation: string | null;
}

/** A line of a demand with what is only said of it. */
export interface AskedLine extends Line {
  readonly override: string;
}

/**
 * A decision read out of what the store answered. Most are only asked whether the call may pass, and there are many:
 * what explains it is worked out when it is asked for.
 */
export class Decided implements Decision {
  readonly #lines: readonly AskedLine[];
  readonly #subject: Subject;
  readonly #units: number;
  readonly #outcome: Outcome;
  readonly reservation: string | null;
  #findings: readonly Finding[] | null = null;
  #binding: Finding | null | undefined;

  constructor(ask: Ask, lines: readonly AskedLine[], outcome: Outcome, reservation: string | null) {
    this.#lines = lines;
    this.#subject = ask.subject;
    this.#units = ask.units;
    this.#outcome = outcome;
    this.reservation = reservation;
  }

  get isAllowed(): boolean {
    // An id that holds something else, or nothing any more, lets nothing pass, whatever was answered to it then.
    return this.#outcome.isAdmitted && (this.repeat === 'none' || this.repeat === 'same');
  }

  get granted(): number {
    return this.isAllowed ? this.#outcome.granted : 0;
  }

  get repeat(): Outcome['repeat'] {
    return this.#outcome.repeat;
  }

  get nowUs(): number {
    return this.#outcome.nowUs;
  }

  get findings(): readonly Finding[] {
    if (this.#findings !== null) return this.#findings;
    const { lines } = this.#outcome;
    this.#findings = this.#lines.map((line, i) => new Found(line, this.#subject, lines[i]!));
    return this.#findings;
  }

  get reason(): Decision['reason'] {
    if (this.isAllowed) return 'allowed';
    if (this.repeat === 'other') return 'reservation_differs';
    if (this.repeat === 'over') return 'reservation_over';
    return this.freesAtUs === -1 ? 'cost_exceeds_limit' : 'over_limit';
  }

  get binding(): Finding | null {
    if (this.#binding === undefined) this.#binding = this.#decisive();
    return this.#binding;
  }

  /** Of what stands in the way, what does so for longest. */
  #decisive(): Finding | null {
    const blocking = this.#blocking();
    const never = blocking.find((each) => each.outcome.freesAtUs === -1);
    const latest = blocking.reduce<Finding | null>(
      (last, each) => (last === null || each.outcome.freesAtUs > last.outcome.freesAtUs ? each : last),
      null,
    );
    return never ?? latest ?? nearest(this.findings);
  }

  get freesAtUs(): number {
    return this.isAllowed ? 0 : (this.binding?.outcome.freesAtUs ?? 0);
  }

  get wouldPass(): number {
    if (this.repeat === 'other' || this.repeat === 'over') return 0;
    return mostUnits(this.#lines, this.#outcome, this.#units);
  }

  #blocking(): readonly Finding[] {
    return this.isAllowed ? [] : this.findings.filter((each) => each.isEnforced && each.outcome.isOver);
  }
}

/** A line, and what became of it. */
class Found implements Finding {
  readonly limit: CompiledLimit;
  readonly subject: Subject;
  readonly amount: number;
  readonly ceiling: number;
  readonly cost: number;
  readonly outcome: LineOutcome;
  readonly isEnforced: boolean;
  readonly override: string;

  constructor(line: AskedLine, subject: Subject, outcome: LineOutcome) {
    this.limit = line.limit;
    this.subject = subject;
    this.amount = line.amount;
    this.ceiling = line.ceiling;
    this.cost = line.cost;
    this.outcome = outcome;
    this.isEnforced = line.isEnforced;
    this.override = line.override;
  }

  get per(): Finding['per'] {
    return Object.fromEntries(this.limit.policy.per.map((level) => [level, this.subject[level]]));
  }

  get zone(): Finding['zone'] {
    return zoneOf(this, this.outcome);
  }
}

function zoneOf(
  { limit, amount }: Pick<Line, 'limit' | 'amount'>,
  { isOver, freesAtUs, after }: LineOutcome,
): Finding['zone'] {
  if (isOver) return freesAtUs === -1 ? 'never' : 'over';
  if (after > amount && limit.algorithm !== 'rate') return 'overdraft';
  const warnAt = limit.spec.warnAt;
  return warnAt.length > 0 && after >= (amount / 100) * Math.min(...warnAt) ? 'warning' : 'ok';
}

/** The enforced limit of which the smallest share is left. */
function nearest(findings: readonly Finding[]): Finding | null {
  let least: Finding | null = null;
  for (const each of findings)
    if (each.isEnforced && (least === null || shareLeft(each) < shareLeft(least))) least = each;
  return least;
}

function shareLeft({ ceiling, outcome }: Finding): number {
  return ceiling === 0 ? 0 : (ceiling - outcome.after) / ceiling;
}

function mostUnits(lines: readonly Line[], { lines: outcomes }: Outcome, units: number): number {
  let most = Number.MAX_SAFE_INTEGER;
  lines.forEach((line, i) => {
    if (!line.isEnforced) return;
    if (line.isMoney) most = Math.min(most, line.cost <= outcomes[i]!.fits ? most : 0);
    else if (line.unitCost > 0) most = Math.min(most, Math.floor(outcomes[i]!.fits / line.unitCost));
  });
  return most === Number.MAX_SAFE_INTEGER ? units : most;
}
