import { appendFileSync, constants, copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { IsBoundary } from '../../src/collect/calls/forest.ts';
import { Journal } from '../../src/collect/journal/journal.ts';
import { SegmentKind } from '../../src/collect/journal/segment.ts';
import { Loader } from '../../src/collect/load/load.ts';
import { largestBatch } from '../../src/collect/load/queries.ts';
import type { ColumnStore } from '../../src/store/index.ts';
import { payloadOf, type ToldSpan } from './spans.ts';

/** Numbers that only depend on a seed. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761 + 1) >>> 0 || 1;
  }

  /** A whole number from 0 to below `sides`. */
  roll(sides: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % sides;
  }

  happens(oneIn: number): boolean {
    return this.roll(oneIn) === 0;
  }
}

/** The store as it looks to a process with bad luck: writes fail before or after they take effect, whole outages last for a while. */
export class UnreliableStore implements ColumnStore {
  readonly isEmbedded: boolean;
  faults = 0;
  readonly #columns: ColumnStore;
  readonly #dice: Dice;
  #outage = 0;

  constructor(columns: ColumnStore, dice: Dice) {
    this.isEmbedded = columns.isEmbedded;
    this.#columns = columns;
    this.#dice = dice;
  }

  query: ColumnStore['query'] = (sql, params) => this.#reading(() => this.#columns.query(sql, params));
  queryBytes: ColumnStore['queryBytes'] = (sql, params) => this.#reading(() => this.#columns.queryBytes(sql, params));
  command: ColumnStore['command'] = (sql, params, token) =>
    this.#writing(() => this.#columns.command(sql, params, token));
  insertBlock: ColumnStore['insertBlock'] = (table, block, token) =>
    this.#writing(() => this.#columns.insertBlock(table, block, token));
  insertFile: ColumnStore['insertFile'] = (table, shape, path) =>
    this.#writing(() => this.#columns.insertFile(table, shape, path));
  close: ColumnStore['close'] = () => Promise.resolve();

  #reading<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isDown() || this.#dice.happens(40)) return this.#fault('the store did not answer');
    return work();
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dice.happens(25)) this.#outage = 1 + this.#dice.roll(6);
    if (this.#isDown() || this.#dice.happens(8)) return this.#fault('the store went away');
    const done = await work();
    return this.#dice.happens(8) ? this.#fault('the answer got lost') : done;
  }

  #isDown(): boolean {
    if (this.#outage === 0) return false;
    this.#outage -= 1;
    return true;
  }

  #fault(message: string): Promise<never> {
    this.faults += 1;
    return Promise.reject(new Error(message));
  }
}

/** A process that takes spans in and loads them, and that may die between any two steps. */
export class Process {
  readonly #journal: Journal;
  readonly #loader: Loader;
  readonly warnings: string[];

  private constructor(journal: Journal, loader: Loader, warnings: string[]) {
    this.#journal = journal;
    this.#loader = loader;
    this.warnings = warnings;
  }

  /** Starts on what lies in a folder. Takes  nowMs: its clock, which may jump. */
  static async start(
    path: string,
    columns: ColumnStore,
    isBoundary: IsBoundary,
    nowMs: () => number,
  ): Promise<Process> {
    const folder = join(path, 'work');
    let lastId = Math.max(await largestBatch(columns), await Journal.largestId(folder));
    const nextId = () => ++lastId;
    const limits = { segmentRows: 6, segmentBytes: 1 << 24, capacityBytes: 1 << 26 };
    const journal = await Journal.open({ ...limits, folder, kind: SegmentKind.work, nowMs, nextId });
    const warnings: string[] = [];
    const warn = (message: string) => warnings.push(message);
    const loader = new Loader({ columns, scratch: join(path, 'scratch'), nextId, nowMs, warn });
    await loader.start(isBoundary);
    return new Process(journal, loader, warnings);
  }

  async accept(spans: readonly ToldSpan[]): Promise<void> {
    await this.#journal.append(payloadOf(spans), spans.length);
  }

  async load(): Promise<void> {
    await this.#journal.seal();
    await this.#loader.loadSealed(this.#journal);
  }
}

/** What a power cut leaves behind the last whole frame of the newest segment. */
export function tearJournal(path: string, dice: Dice): void {
  const folder = join(path, 'work');
  const newest = readdirSync(folder)
    .filter((name) => name.endsWith('.seg'))
    .sort()
    .at(-1);
  if (newest) appendFileSync(join(folder, newest), Buffer.alloc(1 + dice.roll(40), dice.roll(256)));
}

/** A backup that somebody plays back: segments that were loaded and removed lie there again. */
export class Backup {
  readonly #path: string;
  readonly #copies: string;

  constructor(path: string) {
    this.#path = join(path, 'work');
    this.#copies = join(path, 'backup');
    mkdirSync(this.#copies, { recursive: true });
  }

  take(): void {
    this.#copy(this.#path, this.#copies);
  }

  /** What still lies there is newer than its copy. */
  playBack(): void {
    this.#copy(this.#copies, this.#path, constants.COPYFILE_EXCL);
  }

  #copy(from: string, to: string, mode = 0): void {
    const there = mode === 0 ? [] : readdirSync(to);
    const names = readdirSync(from).filter((name) => name.endsWith('.seg') && !there.includes(name));
    for (const name of names) copyFileSync(join(from, name), join(to, name), mode);
  }
}
