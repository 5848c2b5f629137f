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
  readonly reason: 'allowed' | 'over_limit' | 'cost_exceeds_limit' | 'cost_unknown' | 'store_unavailable';
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
  readonly per: Finding['per'];
  readonly override: string;
}

/** Reads a decision out of what the store answered. Pure. */
export function decisionOf(lines: readonly AskedLine[], units: number, outcome: Outcome): Decision {
  const findings = lines.map((line, i) => finding(line, outcome.lines[i]!));
  const blocking = outcome.isAdmitted ? [] : findings.filter((each) => each.isEnforced && each.outcome.isOver);
  const never = blocking.find((each) => each.outcome.freesAtUs === -1);
  const latest = blocking.reduce<Finding | null>(
    (last, each) => (last === null || each.outcome.freesAtUs > last.outcome.freesAtUs ? each : last),
    null,
  );
  const binding = never ?? latest ?? nearest(findings);
  return {
    isAllowed: outcome.isAdmitted,
    reason: outcome.isAdmitted ? 'allowed' : never ? 'cost_exceeds_limit' : 'over_limit',
    granted: outcome.granted,
    repeat: outcome.repeat,
    nowUs: outcome.nowUs,
    binding,
    findings,
    freesAtUs: outcome.isAdmitted ? 0 : never ? -1 : (latest?.outcome.freesAtUs ?? 0),
    wouldPass: mostUnits(lines, outcome, units),
    reservation: null,
  };
}

function finding(line: AskedLine, outcome: LineOutcome): Finding {
  const { limit, per, amount, ceiling, cost, isEnforced, override } = line;
  return { limit, per, amount, ceiling, cost, outcome, isEnforced, override, zone: zoneOf(line, outcome) };
}

function zoneOf({ limit, amount }: Line, { isOver, freesAtUs, after }: LineOutcome): Finding['zone'] {
  if (isOver) return freesAtUs === -1 ? 'never' : 'over';
  if (after > amount && limit.algorithm !== 'rate') return 'overdraft';
  const warnAt = limit.spec.warnAt;
  return warnAt.length > 0 && after >= (amount / 100) * Math.min(...warnAt) ? 'warning' : 'ok';
}

/** The enforced limit of which the smallest share is left. */
function nearest(findings: readonly Finding[]): Finding | null {
  const share = ({ ceiling, outcome }: Finding) => (ceiling === 0 ? 0 : (ceiling - outcome.after) / ceiling);
  return findings
    .filter((each) => each.isEnforced)
    .reduce<Finding | null>((least, each) => (least === null || share(each) < share(least) ? each : least), null);
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
