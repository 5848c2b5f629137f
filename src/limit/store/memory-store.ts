import { fail } from '../../model/index.ts';
import type { CompiledLimit, CompiledPolicy } from '../policy/compile.ts';
import type { Subject } from '../subject.ts';
import {
  type Change,
  type CounterStore,
  type Demand,
  type KeptFigures,
  LEASE,
  type Line,
  type Outcome,
  type PartUnits,
  type Settled,
  type Settlement,
} from './counter-store.ts';
import { type CounterRecord, CounterTable } from './counter-table.ts';
import { advance, freesAt, giveBack, type Place, resetsAt, room, STATE, take, takeMore, used } from './counters.ts';
import { putUnits } from './put-units.ts';
import { actualCost, countsIn, type HeldLine, Reservations, repeatOf } from './reservations.ts';
import { type Path, SubjectRows } from './subject-rows.ts';
import { Sweep } from './sweep.ts';
import { TakenOutcome } from './taken-outcome.ts';

/** Between two looks for idle counters at least. */
const SWEEP_REST_US = 1_000_000;
/** Counters that are looked at before decisions have their turn again: about a millisecond. */
const SWEEP_AT_ONCE = 1_000;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export interface MemoryStoreOptions {
  /** Microseconds since 1970 of a clock that does not jump. */
  readonly nowUs: () => number;
  /** Counters and reservations beyond this are refused, unless some are idle. */
  readonly mostKeys: number;
  readonly mostHeld: number;
  /** How many counters are looked at in one go for idle ones. */
  readonly sweepAtOnce?: number;
}

/** Counters in the memory of this process. */
export class MemoryStore implements CounterStore {
  readonly #options: MemoryStoreOptions;
  #rows = new SubjectRows();
  #tables = new Map<string, CounterTable>();
  #tableOf = new WeakMap<CompiledLimit, CounterTable>();
  readonly #held = new Reservations();
  /** Whether somebody keeps what changes. */
  #isKept = false;
  #lastUs = 0;
  /** Before this, idle counters are not looked for again. */
  #sweepsAgainUs = 0;
  #sweep: Sweep | null = null;
  /** What had changed and was not given yet when the store began anew; some of these counters are gone. */
  #pending: CounterRecord[] = [];
  /** One decision at a time is made, so what its lines need is used again for the next. */
  readonly #places: Writable<Place>[] = [];
  readonly #row: number[] = [];
  readonly #rooms: number[] = [];
  #lines: readonly Line[] = [];
  #tablesOfLines: CounterTable[] = [];
  #pathsOfLines: Path[] = [];
  /** Only kept, so that nobody takes reading it for idle. */
  touched = 0;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
  }

  get keys(): number {
    return this.#rows.size;
  }

  get kept(): KeptFigures {
    const { mostKeys, mostHeld } = this.#options;
    const { open, size } = this.#held;
    return { keys: this.keys, mostKeys, held: open, remembered: size - open, mostHeld };
  }

  decide(demand: Demand): Outcome {
    const nowUs = this.#now();
    const { hold, lines } = demand;
    const id = hold === null ? '' : `${demand.root}\n${hold.id}`;
    const known = hold === null ? undefined : this.#held.get(id);
    if (known) return known.outcome.again(repeatOf(known, hold!.fingerprint));
    this.#checkRoom(demand, nowUs);
    this.#look(demand, nowUs);
    const granted = grantOf(demand, this.#rooms);
    const isTaking = granted >= 0 && !demand.isPeek;
    const outcome = new TakenOutcome(granted, nowUs, lines.length);
    const heldLines: HeldLine[] | null = hold === null ? null : [];
    for (let i = 0; i < lines.length; i++) {
      const cost = costOf(lines[i]!, demand, granted);
      this.#take(i, demand, cost, isTaking, outcome, heldLines);
    }
    if (hold !== null && heldLines !== null && isTaking) {
      const { fingerprint, ttlUs } = hold;
      this.#held.keep(id, nowUs + ttlUs, { fingerprint, subject: demand.subject, lines: heldLines, outcome });
    }
    return outcome;
  }

  /** Brings every counter of the lines up to now, and notes what fits of each. */
  #look({ lines, subject }: Demand, nowUs: number): void {
    const tables = this.#tablesOf(lines);
    let touched = this.#rows.findAll(this.#pathsOfLines, subject, this.#row);
    for (let i = 0; i < lines.length; i++) if (this.#row[i]! >= 0) touched += tables[i]!.touch(this.#row[i]!);
    this.touched = touched;
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      const place = this.#placeAt(i);
      const table = tables[i]!;
      const row = this.#row[i]!;
      if (table.hasRow(row)) table.find(row, place);
      else Object.assign(place, emptyPlace(line.limit));
      advance(place, line, nowUs);
      this.#rooms[i] = room(place, line, nowUs);
    }
  }

  #take(
    i: number,
    { lines, subject }: Demand,
    cost: number,
    isTaking: boolean,
    outcome: TakenOutcome,
    heldLines: HeldLine[] | null,
  ): void {
    const line = lines[i]!;
    const place = this.#placeAt(i);
    const { limit } = line;
    const { nowUs } = outcome;
    const fits = this.#rooms[i]!;
    const before = used(place, limit);
    const isOver = cost > fits;
    const freesAtUs = isOver ? freesAt(place, line, cost, nowUs) : 0;
    let after = before;
    if (isTaking && !isOver) {
      // Nobody would say when a call that was only checked has ended.
      if (cost > 0 && !(heldLines === null && limit.algorithm === 'concurrency')) {
        const row = this.#own(i, line, subject, nowUs);
        take(place, line, cost, nowUs);
        this.#changed(this.#tablesOfLines[i]!, row);
        after = used(place, limit);
      }
      heldLines?.push({ line, takenIn: place.state[place.at + 1]!, cost });
    }
    outcome.put(i, before, after, fits, isOver, freesAtUs, resetsAt(place, line, nowUs));
  }

  #placeAt(i: number): Writable<Place> {
    const place = this.#places[i] ?? { state: new Float64Array(0), at: 0, ring: null, ringAt: 0 };
    this.#places[i] = place;
    return place;
  }

  /** Decisions one after the other are mostly about the same limits. */
  #tablesOf(lines: readonly Line[]): readonly CounterTable[] {
    if (lines === this.#lines) return this.#tablesOfLines;
    this.#lines = lines;
    this.#tablesOfLines = lines.map(({ limit }) => this.#table(limit));
    this.#pathsOfLines = this.#tablesOfLines.map(({ path }) => path);
    return this.#tablesOfLines;
  }

  settle({ root, id, action, units, money, isForgotten }: Settlement): Settled {
    this.#now();
    const key = `${root}\n${id}`;
    const held = this.#held.get(key);
    if (held === undefined) return 'unknown';
    const done = action === 'commit' ? 'committed' : 'released';
    if (held.state === done) return 'already';
    if (held.state !== 'held') return held.state;
    if (action === 'commit' && money !== null && !countsIn(held.lines, money.currency)) return 'currency';
    for (const each of held.lines)
      this.#settleLine(held.subject, each, action === 'release' ? 0 : actualCost(each, units, money));
    this.#held.end(key, held, done, this.#lastUs, isForgotten === true);
    return 'done';
  }

  put(_root: string, subject: Subject, line: Line, units: PartUnits, mayFall: boolean): Change {
    const nowUs = this.#now();
    const table = this.#table(line.limit);
    const { mostKeys } = this.#options;
    if (this.#rows.size > mostKeys - 8) throw fail('LIMIT_KEYS_FULL', { keys: mostKeys });
    const row = this.#rows.add(table.path, subject);
    const place = table.placeOf(row);
    advance(place, line, nowUs);
    const before = used(place, line.limit);
    putUnits(place, line, units, mayFall, nowUs);
    this.#changed(table, row);
    return { before, after: used(place, line.limit) };
  }

  usersOf(limit: CompiledLimit, most: number): Subject[] {
    const table = this.#table(limit);
    const users: Subject[] = [];
    for (const row of table.usedRows(this.#lastUs)) {
      if (users.length >= most) break;
      users.push(this.#rows.subjectOf(table.path, row));
    }
    return users;
  }

  async close(): Promise<void> {}

  keepChanges(): void {
    this.#isKept = true;
  }

  /** Gives counters that changed since they were given last, so many at most. */
  changedRecords(most: number): CounterRecord[] {
    // These first, because their counters may have changed again since.
    const records = this.#pending.splice(0, most);
    for (const table of this.#tables.values()) {
      if (records.length >= most) break;
      for (const row of table.takeChanged(most - records.length)) records.push(recordOf(this.#rows, table, row));
    }
    return records;
  }

  /** Gives all counters that say something, some at a time. What changes between two of them is among the changed. */
  *allRecords(): Generator<CounterRecord[]> {
    // When it is swept meanwhile, these two still belong to each other.
    const rows = this.#rows;
    for (const table of [...this.#tables.values()])
      for (const used of table.usedChunks(this.#lastUs)) yield used.map((row) => recordOf(rows, table, row));
  }

  /** Puts counters back as they were kept, the last word about each. Places of calls under way went with them. */
  restore(records: readonly CounterRecord[], policies: readonly CompiledPolicy[]): void {
    const limits = new Map(policies.flatMap(({ limits }) => limits.map((limit) => [limit.counterId, limit])));
    for (const record of records) {
      const limit = limits.get(record[0]);
      if (limit !== undefined && limit.algorithm !== 'concurrency') this.#put(limit, record);
    }
  }

  #put(limit: CompiledLimit, record: CounterRecord): void {
    const [organisation = '', tenant = '', consumer = '', endpoint = ''] = record[1];
    const table = this.#table(limit);
    const row = this.#rows.add(table.path, { organisation, tenant, consumer, endpoint });
    table.put(row, record);
  }

  /** Time never goes backward; what is due meanwhile is given back first. */
  #now(): number {
    const nowUs = Math.max(this.#lastUs, Math.floor(this.#options.nowUs()));
    this.#lastUs = nowUs;
    for (let over = this.#held.expire(nowUs); over !== null; over = this.#held.expire(nowUs))
      if (over.fingerprint !== LEASE) for (const each of over.lines) this.#settleLine(over.subject, each, 0);
    return nowUs;
  }

  #settleLine(subject: Subject, each: HeldLine, cost: number): void {
    const { line, takenIn } = each;
    const { limit } = line;
    // The key is looked up again: its row may have been given to somebody else when it was idle.
    const table = this.#table(limit);
    const known = this.#rows.find(table.path, subject);
    const difference = (limit.algorithm === 'concurrency' ? 0 : cost) - each.cost;
    // Without a counter there is nothing to give back to; what was used beyond the reservation has happened, though, and is counted.
    if (!table.hasRow(known) && difference <= 0) return;
    const row = table.hasRow(known) ? known : this.#rows.add(table.path, subject);
    const place = table.placeOf(row);
    advance(place, line, this.#lastUs);
    if (difference < 0) giveBack(place, limit, line.amount, -difference, takenIn);
    if (difference > 0) takeMore(place, limit, difference, takenIn);
    each.cost += difference;
    this.#changed(table, row);
  }

  #changed(table: CounterTable, row: number): void {
    if (this.#isKept) table.mark(row);
    this.#sweep?.changed(table, row);
  }

  /** Gives a line a counter of its own, where it has none yet. */
  #own(i: number, line: Line, subject: Subject, nowUs: number): number {
    const table = this.#tablesOfLines[i]!;
    const known = this.#row[i]!;
    if (table.hasRow(known)) return known;
    const row = this.#rows.add(table.path, subject);
    table.find(row, this.#placeAt(i));
    advance(this.#placeAt(i), line, nowUs);
    return row;
  }

  /** Makes sure, before anything is taken, that it could be kept. Fails  LIMIT_KEYS_FULL. */
  #checkRoom({ lines, subject, hold, isPeek }: Demand, nowUs: number): void {
    if (isPeek) return;
    const { mostKeys, mostHeld } = this.#options;
    if (hold !== null && this.#held.size >= mostHeld) throw fail('LIMIT_KEYS_FULL', { reservations: mostHeld });
    // A line may bring a name for each level, and that of the tenant's organisation.
    const most = mostKeys - 8 * lines.length;
    // Idle ones are looked for before it is full: nobody who comes then should wait for it.
    if (this.#rows.size <= most - mostKeys / 8) return;
    if (this.#sweep === null && nowUs >= this.#sweepsAgainUs) this.#beginSweep(nowUs);
    if (this.#rows.size <= most) return;
    if (lines.every(({ limit }) => this.#rows.find(this.#table(limit).path, subject) >= 0)) return;
    throw fail('LIMIT_KEYS_FULL', { keys: mostKeys });
  }

  /** Looks for idle counters, some at a time, and between that decisions are made. */
  #beginSweep(nowUs: number): void {
    const sweep = new Sweep(this.#rows, this.#tables, nowUs);
    this.#sweep = sweep;
    const goOn = () => {
      if (sweep.step(this.#options.sweepAtOnce ?? SWEEP_AT_ONCE)) this.#swept(sweep, nowUs);
      else setImmediate(goOn).unref();
    };
    goOn();
  }

  /** Goes on with what is not idle. Only what had not been given to who keeps it counts as changed, idle or not. */
  #swept({ rows, tables }: Sweep, startedUs: number): void {
    const isWorthIt = rows.size < this.#rows.size * 0.9;
    this.#pending = this.changedRecords(Number.MAX_SAFE_INTEGER);
    this.#rows = rows;
    this.#tables = tables;
    this.#tableOf = new WeakMap();
    this.#lines = [];
    this.#sweep = null;
    // Most of the time is left for decisions, the more so when little came free.
    const nowUs = this.#now();
    this.#sweepsAgainUs = nowUs + Math.max(SWEEP_REST_US, (nowUs - startedUs) * 10) * (isWorthIt ? 1 : 6);
  }

  #table(limit: CompiledLimit): CounterTable {
    const known = this.#tableOf.get(limit);
    if (known !== undefined) return known;
    let table = this.#tables.get(limit.counterId);
    if (table === undefined) {
      table = new CounterTable(limit, this.#rows.pathOf(limit.policy.per));
      this.#tables.set(limit.counterId, table);
    }
    this.#tableOf.set(limit, table);
    return table;
  }
}

function recordOf(rows: SubjectRows, table: CounterTable, row: number): CounterRecord {
  const { organisation, tenant, consumer, endpoint } = rows.subjectOf(table.path, row);
  return table.record([organisation, tenant, consumer, endpoint], row);
}

const empties = new WeakMap<CompiledLimit, Place>();

/** A counter that nobody has: read, never kept. */
function emptyPlace(limit: CompiledLimit): Place {
  const known = empties.get(limit);
  if (known !== undefined) return known;
  const ring = limit.algorithm === 'rolling' ? new Float64Array(limit.parts + 1) : null;
  const place = { state: new Float64Array(STATE), at: 0, ring, ringAt: 0 };
  empties.set(limit, place);
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
