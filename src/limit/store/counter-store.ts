import type { Calendar } from '../policy/calendar.ts';
import type { CompiledLimit } from '../policy/compile.ts';
import type { Subject } from '../subject.ts';

/** One counter that a decision looks at, and what it would take of it. Asks that want the same of it share one, so nothing in it says whose it is. */
export interface Line {
  readonly limit: CompiledLimit;
  /** What is allowed; of a rate, per its length. */
  readonly amount: number;
  /** The most that fits: the burst of a rate, the amount and its overdraft of a window. */
  readonly ceiling: number;
  /** What one unit of the call costs here; of money, everything that the call costs. */
  readonly unitCost: number;
  readonly cost: number;
  readonly isMoney: boolean;
  readonly isEnforced: boolean;
  readonly calendar: Calendar | null;
}

/** What is asked of a store: all lines or none. */
export interface Demand {
  /** Which counters must lie together: the organisation. */
  readonly root: string;
  /** Whose of each policy's counters; only the levels that the policy tells apart matter. */
  readonly subject: Subject;
  readonly lines: readonly Line[];
  readonly units: number;
  /** Of a reservation; null takes at once and for ever. */
  readonly hold: { readonly id: string; readonly ttlUs: number; readonly fingerprint: string } | null;
  /** Look only. */
  readonly isPeek: boolean;
  /** The least that is of use; 0 where it must be everything. */
  readonly least: number;
}

/** What became of one line. */
export interface LineOutcome {
  /** Used before, in the limit's units. */
  readonly before: number;
  readonly after: number;
  /** The most that would have passed. */
  readonly fits: number;
  /** The line was passed, or could not be but is only watched. */
  readonly isOver: boolean;
  /** When what was asked would pass, microseconds since 1970; 0 when it passes, -1 when never. */
  readonly freesAtUs: number;
  /** When the window ends, or the counter is as new. */
  readonly resetsAtUs: number;
}

export interface Outcome {
  readonly isAdmitted: boolean;
  /** Of the reservation: it was there already, with the same or with another content; or is over, and holds nothing any more. */
  readonly repeat: 'none' | 'same' | 'other' | 'over';
  readonly granted: number;
  readonly nowUs: number;
  readonly lines: readonly LineOutcome[];
}

export type SettleAction = 'commit' | 'release';

export interface Settlement {
  readonly root: string;
  readonly id: string;
  readonly action: SettleAction;
  /** What was really used, in units of the call; null: as reserved. */
  readonly units: number | null;
  /** What it really cost; null: as reserved. */
  readonly money: SettledMoney | null;
  /** Nobody asks for it again: what became of it need not be remembered. */
  readonly isForgotten?: boolean;
}

/** What a call really cost. Limits in other currencies stay as they were reserved. */
export interface SettledMoney {
  /** In 10^-9 of the currency, rounded up. */
  readonly nano: number;
  readonly currency: string;
}

/** `done` now or `already` before by the same action; else why not. `currency`: no limit of the reservation counts in the one that was named. */
export type Settled = 'done' | 'already' | 'unknown' | 'expired' | 'committed' | 'released' | 'currency';

/** What became of the units of this node's leases. */
export interface LeaseFigures {
  /** Taken, and neither used nor given back: what other nodes are denied at most because of this one. */
  readonly outstanding: number;
  readonly used: number;
  readonly returned: number;
  /** Nobody knows whether they came back: the store did not answer, or had forgotten the lease. */
  readonly lost: number;
}

/** How full a store is. */
export interface KeptFigures {
  /** Names that have counters; a long one counts as several. */
  readonly keys: number;
  readonly mostKeys: number;
  /** Reservations that nobody has ended. */
  readonly held: number;
  /** Those that are over, and still take a place. */
  readonly remembered: number;
  readonly mostHeld: number;
}

/** What was counted elsewhere: units by where the window, or its part, begins, in microseconds. */
export type PartUnits = readonly (readonly [startUs: number, units: number])[];

export interface Change {
  readonly before: number;
  readonly after: number;
}

/** Keeps counters. What holds of every store is in test/conformance/limit-stores.test.ts. */
export interface CounterStore {
  /**
   * Decides one demand at one moment.
   *
   * Holds  all enforced lines are taken, or none; a denied demand takes nothing; a reservation of the same id is taken once.
   */
  decide(demand: Demand): Outcome | Promise<Outcome>;
  /** Ends a reservation. What is given back goes to the windows it was taken from. */
  settle(settlement: Settlement): Settled | Promise<Settled>;
  /**
   * Sets somebody's counter of a line to what was counted elsewhere.
   *
   * Takes  mayFall: otherwise it only rises.
   * Gives  what was used before and after.
   */
  put(root: string, subject: Subject, line: Line, units: PartUnits, mayFall: boolean): Change | Promise<Change>;
  /** Whose counters of a limit may say anything, the first so many; none where the store keeps no names. */
  usersOf(limit: CompiledLimit, most: number): Subject[];
  close(): Promise<void>;
  /** What became of leased units, where there are leases. */
  readonly leases?: LeaseFigures;
  /** How full it is, where it knows. */
  readonly kept?: KeptFigures;
}

/** The fingerprint of a lease: a reservation that stays taken when nobody ends it. Callers' fingerprints are longer. */
export const LEASE = 'lease';

/** How long it is remembered what became of a reservation. */
export const REMEMBERED_US = 600_000_000;
