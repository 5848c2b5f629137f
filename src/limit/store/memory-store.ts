import { fail } from '../../model/index.ts';
import type { CompiledLimit, CompiledPolicy } from '../policy/compile.ts';
import {
  type CounterStore,
  type Demand,
  type Line,
  type LineOutcome,
  type Outcome,
  REMEMBERED_US,
  type Settled,
  type Settlement,
} from './counter-store.ts';
import { type CounterRecord, CounterTable, KeyRows } from './counter-table.ts';
import { advance, freesAt, giveBack, type Place, resetsAt, room, STATE, take, takeMore, used } from './counters.ts';
import { Deadlines } from './deadlines.ts';

interface HeldLine {
  readonly limit: CompiledLimit;
  readonly line: Line;
  readonly takenIn: number;
  cost: number;
}

interface Held {
  readonly fingerprint: string;
  readonly lines: readonly HeldLine[];
  readonly outcome: Outcome;
  readonly expiresUs: number;
  state: 'held' | 'committed' | 'released' | 'expired';
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface MemoryStoreOptions {
  /** Microseconds since 1970 of a clock that does not jump. */
  readonly nowUs: () => number;
  /** Counters and reservations beyond this are refused, unless some are idle. */
  readonly mostKeys: number;
  readonly mostHeld: number;
}

/** Counters in the memory of this process. */
export class MemoryStore implements CounterStore {
  readonly #options: MemoryStoreOptions;
  readonly #rows = new Map<string, KeyRows>();
  readonly #tables = new Map<string, CounterTable>();
  readonly #tableOf = new WeakMap<CompiledLimit, CounterTable>();
  readonly #held = new Map<string, Held>();
  readonly #due = new Deadlines();
  /** What changed since it was last asked for; null where nobody keeps it. */
  #changed: Map<CounterTable, Map<string, number>> | null = null;
  #lastUs = 0;
  readonly #places: Writable<Place>[] = [];
  readonly #row: number[] = [];
  #keys = 0;
  #sweptUs = 0;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
  }

  get keys(): number {
    return this.#keys;
  }

  decide(demand: Demand): Outcome {
    const nowUs = this.#now();
    const { hold, lines, isPeek } = demand;
    const id = hold === null ? '' : `${demand.root}\n${hold.id}`;
    const known = hold === null ? undefined : this.#held.get(id);
    if (known) return { ...known.outcome, repeat: known.fingerprint === hold!.fingerprint ? 'same' : 'other' };
    this.#checkRoom(demand, nowUs);
    const rooms = this.#look(lines, nowUs);
    const granted = grantOf(demand, rooms);
    const isTaking = granted >= 0 && !isPeek;
    const outcomes: LineOutcome[] = [];
    const heldLines: HeldLine[] | null = hold === null ? null : [];
    for (let i = 0; i < lines.length; i++) {
      const cost = costOf(lines[i]!, demand, granted);
      outcomes.push(this.#outcome(i, lines[i]!, cost, rooms[i]!, isTaking, nowUs, heldLines));
    }
    const isAdmitted = granted >= 0;
    const outcome = { isAdmitted, repeat: 'none', granted: Math.max(0, granted), nowUs, lines: outcomes } as const;
    if (heldLines !== null && isTaking) this.#keep(id, demand, outcome, heldLines);
    return outcome;
  }

  /** Brings every counter of the lines up to now. Gives  what fits of each. */
  #look(lines: readonly Line[], nowUs: number): number[] {
    const rooms: number[] = [];
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const place = this.#placeAt(i);
      const table = this.#table(line.limit);
      const row = table.rows.rowOf(line.key);
      this.#row[i] = row ?? -1;
      if (row !== undefined && table.hasRow(row)) table.find(row, place);
      else Object.assign(place, emptyPlace(line.limit));
      advance(place, line, nowUs);
      rooms.push(room(place, line, nowUs));
    }
    return rooms;
  }

  #outcome(
    i: number,
    line: Line,
    cost: number,
    fits: number,
    isTaking: boolean,
    nowUs: number,
    heldLines: HeldLine[] | null,
  ): LineOutcome {
    const place = this.#placeAt(i);
    const { limit } = line;
    const before = used(place, limit);
    const isOver = cost > fits;
    const freesAtUs = isOver ? freesAt(place, line, cost, nowUs) : 0;
    let after = before;
    if (isTaking && !isOver) {
      if (cost > 0) {
        this.#own(i, line, nowUs);
        take(place, line, cost, nowUs);
        if (this.#changed !== null) this.#note(this.#table(limit), line.key);
        after = used(place, limit);
      }
      heldLines?.push({ limit, line, takenIn: place.state[place.at + 1]!, cost });
    }
    return { before, after, fits, isOver, freesAtUs, resetsAtUs: resetsAt(place, line, nowUs) };
  }

  /** One decision at a time is made, so the places of its lines are used again for the next. */
  #placeAt(i: number): Writable<Place> {
    return (this.#places[i] ??= { state: new Float64Array(0), at: 0, ring: null, ringAt: 0 });
  }

  settle({ root, id, action, units, nanoMoney }: Settlement): Settled {
    this.#now();
    const key = `${root}\n${id}`;
    const held = this.#held.get(key);
    if (held === undefined) return 'unknown';
    const done = action === 'commit' ? 'committed' : 'released';
    if (held.state === done) return 'already';
    if (held.state !== 'held') return held.state;
    for (const each of held.lines)
      this.#settleLine(each, action === 'release' ? 0 : actualCost(each, units, nanoMoney));
    held.state = done;
    return 'done';
  }

  async close(): Promise<void> {}

  keepChanges(): void {
    this.#changed = new Map();
  }

  /** Gives the counters that changed since the last time. */
  changedRecords(): CounterRecord[] {
    const changed = this.#changed ?? new Map<CounterTable, Map<string, number>>();
    this.#changed = new Map();
    return [...changed].flatMap(([table, rows]) => [...rows].map(([key, row]) => table.record(key, row)));
  }

  /** Gives all counters that say something. */
  allRecords(): CounterRecord[] {
    return [...this.#tables.values()].flatMap((table) =>
      [...table.rows.entries()]
        .filter(([, row]) => !table.isIdle(row, this.#lastUs))
        .map(([key, row]) => table.record(key, row)),
    );
  }

  /** Puts counters back as they were kept, the last word about each. Places of calls under way went with them. */
  restore(records: readonly CounterRecord[], policies: readonly CompiledPolicy[]): void {
    const limits = new Map(policies.flatMap(({ limits }) => limits.map((limit) => [limit.counterId, limit])));
    for (const record of records) {
      const limit = limits.get(record[0]);
      if (limit === undefined || limit.algorithm === 'concurrency') continue;
      const table = this.#table(limit);
      let row = table.rows.rowOf(record[1]);
      if (row === undefined) {
        row = table.rows.add(record[1]);
        this.#keys++;
      }
      table.put(row, record);
    }
  }

  #note(table: CounterTable, key: string): void {
    const rows = this.#changed!.get(table) ?? new Map<string, number>();
    rows.set(key, table.rows.rowOf(key)!);
    this.#changed!.set(table, rows);
  }

  /** Time never goes backward; what is due meanwhile is given back first. */
  #now(): number {
    const nowUs = Math.max(this.#lastUs, Math.floor(this.#options.nowUs()));
    this.#lastUs = nowUs;
    for (let id = this.#due.next(nowUs); id !== null; id = this.#due.next(nowUs)) this.#expire(id, nowUs);
    return nowUs;
  }

  #expire(id: string, nowUs: number): void {
    const held = this.#held.get(id);
    if (held === undefined) return;
    if (nowUs >= held.expiresUs + REMEMBERED_US) this.#held.delete(id);
    else this.#due.add(held.expiresUs + REMEMBERED_US, id);
    if (held.state !== 'held') return;
    for (const each of held.lines) this.#settleLine(each, 0);
    held.state = 'expired';
  }

  #keep(id: string, { hold }: Demand, outcome: Outcome, lines: readonly HeldLine[]): void {
    const expiresUs = outcome.nowUs + hold!.ttlUs;
    this.#held.set(id, { fingerprint: hold!.fingerprint, lines, outcome, expiresUs, state: 'held' });
    this.#due.add(expiresUs, id);
  }

  #settleLine(each: HeldLine, cost: number): void {
    const { limit, line, takenIn } = each;
    // The key is looked up again: its row may have been given to somebody else when it was idle.
    const table = this.#table(limit);
    const row = table.rows.rowOf(line.key);
    if (row === undefined) return;
    const place = table.placeOf(row);
    advance(place, line, this.#lastUs);
    const isHeldOnly = limit.algorithm === 'concurrency';
    const difference = (isHeldOnly ? 0 : cost) - each.cost;
    if (difference < 0) giveBack(place, limit, line.amount, -difference, takenIn);
    if (difference > 0) takeMore(place, limit, difference, takenIn);
    each.cost += difference;
    if (this.#changed !== null) this.#note(table, line.key);
  }

  /** Gives a line a counter of its own, where it has none yet. */
  #own(i: number, line: Line, nowUs: number): void {
    const table = this.#table(line.limit);
    let row = this.#row[i]!;
    if (row >= 0 && table.hasRow(row)) return;
    if (row < 0) {
      // Another limit of the same policy may have made it a moment ago.
      row = table.rows.rowOf(line.key) ?? -1;
      if (row < 0) {
        row = table.rows.add(line.key);
        this.#keys++;
      }
    }
    table.find(row, this.#placeAt(i));
    advance(this.#placeAt(i), line, nowUs);
  }

  /** Makes sure, before anything is taken, that it could be kept. Fails  LIMIT_KEYS_FULL. */
  #checkRoom({ lines, hold }: Demand, nowUs: number): void {
    const { mostKeys, mostHeld } = this.#options;
    if (hold !== null && this.#held.size >= mostHeld) throw fail('LIMIT_KEYS_FULL', { reservations: mostHeld });
    if (this.#keys + lines.length <= mostKeys) return;
    if (lines.every((line) => this.#table(line.limit).rows.rowOf(line.key) !== undefined)) return;
    // Looking for idle ones takes long: not at every call of somebody who makes up names.
    if (nowUs >= this.#sweptUs + 1_000_000) this.#sweep(nowUs);
    if (this.#keys + lines.length > mostKeys) throw fail('LIMIT_KEYS_FULL', { keys: mostKeys });
  }

  #sweep(nowUs: number): void {
    this.#sweptUs = nowUs;
    for (const rows of this.#rows.values()) {
      const tables = [...this.#tables.values()].filter((table) => table.rows === rows);
      for (const [key, row] of rows.entries()) {
        if (!tables.every((table) => table.isIdle(row, this.#lastUs))) continue;
        for (const table of tables) table.clear(row);
        rows.remove(key);
        this.#keys--;
      }
    }
  }

  #table(limit: CompiledLimit): CounterTable {
    const known = this.#tableOf.get(limit);
    if (known !== undefined) return known;
    const per = limit.policy.per.join(' ');
    let rows = this.#rows.get(per);
    if (rows === undefined) this.#rows.set(per, (rows = new KeyRows()));
    let table = this.#tables.get(limit.counterId);
    if (table === undefined) this.#tables.set(limit.counterId, (table = new CounterTable(limit, rows)));
    this.#tableOf.set(limit, table);
    return table;
  }
}

const empties = new WeakMap<CompiledLimit, Place>();

/** A counter that nobody has: read, never kept. */
function emptyPlace(limit: CompiledLimit): Place {
  let place = empties.get(limit);
  if (place === undefined) {
    const ring = limit.algorithm === 'rolling' ? new Float64Array(limit.parts + 1) : null;
    empties.set(limit, (place = { state: new Float64Array(STATE), at: 0, ring, ringAt: 0 }));
  }
  return place;
}

/** Gives how many units are granted: all, or what fits where part of it is of use, or -1 for none. */
function grantOf({ lines, units, least }: Demand, rooms: readonly number[]): number {
  let granted = units;
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    if (!line.isEnforced || line.cost <= rooms[i]!) continue;
    if (least === 0 || line.isMoney) return -1;
    granted = Math.min(granted, line.unitCost === 0 ? units : Math.floor(rooms[i]! / line.unitCost));
  }
  return granted < least ? -1 : granted;
}

function costOf(line: Line, demand: Demand, granted: number): number {
  return granted < 0 || granted === demand.units || line.isMoney ? line.cost : granted * line.unitCost;
}

/** What a line costs when it is known what was used. */
function actualCost({ limit, line, cost }: HeldLine, units: number | null, nanoMoney: number | null): number {
  if (line.isMoney) return nanoMoney === null ? cost : Math.ceil(nanoMoney / 10 ** (9 - limit.spec.money!.decimals));
  return units === null ? cost : Math.min(units * line.unitCost, Number.MAX_SAFE_INTEGER / 4);
}
