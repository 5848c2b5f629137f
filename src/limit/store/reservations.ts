import type { Subject } from '../subject.ts';
import { type Line, type Outcome, REMEMBERED_US, type SettledMoney } from './counter-store.ts';
import { LARGEST_SUM } from './counters.ts';
import { type Deadline, Deadlines } from './deadlines.ts';
import type { TakenOutcome } from './taken-outcome.ts';

/** What a reservation took of one limit, and in which window. */
export interface HeldLine {
  readonly line: Line;
  readonly takenIn: number;
  cost: number;
}

export interface Held {
  readonly fingerprint: string;
  readonly subject: Subject;
  readonly lines: readonly HeldLine[];
  readonly outcome: TakenOutcome;
  /** When it expires; once it is over, when it is forgotten. */
  due: Deadline;
  state: 'held' | 'committed' | 'released' | 'expired';
}

/** Reservations by id: held, or over and still remembered, so that whoever says the same again hears the same. */
export class Reservations {
  readonly #held = new Map<string, Held>();
  readonly #due = new Deadlines();
  /** Those that nobody has ended. */
  open = 0;

  get size(): number {
    return this.#held.size;
  }

  get(id: string): Held | undefined {
    return this.#held.get(id);
  }

  keep(id: string, dueUs: number, what: Omit<Held, 'due' | 'state'>): void {
    this.#held.set(id, { ...what, due: this.#due.add(dueUs, id), state: 'held' });
    this.open++;
  }

  /** Ends one that is held. Takes  isForgotten: nobody will ask for it again. */
  end(id: string, held: Held, state: 'committed' | 'released', nowUs: number, isForgotten: boolean): void {
    held.state = state;
    this.open--;
    if (isForgotten) {
      this.#due.remove(held.due);
      this.#held.delete(id);
    } else this.#due.move(held.due, nowUs + REMEMBERED_US);
  }

  /** Ends the next one whose time is over; null when there is none. What has been over for long enough is forgotten. */
  expire(nowUs: number): Held | null {
    for (let id = this.#due.next(nowUs); id !== null; id = this.#due.next(nowUs)) {
      const held = this.#held.get(id);
      if (held === undefined) continue;
      const endedUs = held.due.atUs;
      if (held.state !== 'held' || nowUs >= endedUs + REMEMBERED_US) this.#held.delete(id);
      else held.due = this.#due.add(endedUs + REMEMBERED_US, id);
      if (held.state !== 'held') continue;
      held.state = 'expired';
      this.open--;
      return held;
    }
    return null;
  }
}

/** What was committed stays used: asking for it again is still the same. What was given back is held by nobody. */
export function repeatOf({ fingerprint, state }: Held, asked: string): Exclude<Outcome['repeat'], 'none'> {
  if (fingerprint !== asked) return 'other';
  return state === 'released' || state === 'expired' ? 'over' : 'same';
}

/** Money in a currency that no limit knows would be counted nowhere. */
export function countsIn(lines: readonly HeldLine[], currency: string): boolean {
  const money = lines.filter(({ line }) => line.isMoney);
  return money.length === 0 || money.some(({ line }) => line.limit.spec.money!.currency === currency);
}

/** What a line costs when it is known what was used. */
export function actualCost({ line, cost }: HeldLine, units: number | null, money: SettledMoney | null): number {
  if (line.isMoney) {
    const { currency, decimals } = line.limit.spec.money!;
    return money?.currency === currency ? Math.ceil(money.nano / 10 ** (9 - decimals)) : cost;
  }
  return units === null ? cost : Math.min(units * line.unitCost, LARGEST_SUM);
}
