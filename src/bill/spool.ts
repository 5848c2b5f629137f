import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { writePieces } from '../store/index.ts';
import type { Charge } from './charge.ts';
import { ChargeRows } from './charge-block.ts';
import type { ColumnKeys } from './column-cells.ts';

/** Rows of one file, at most; one file is inserted as one block. */
export const SEGMENT_ROWS = 200_000;
const PENDING_BYTES = 16 * 1024 * 1024;

/** A file of rows of one unit. */
export interface Segment {
  readonly unit: string;
  readonly path: string;
  readonly rows: number;
}

interface Growing {
  readonly unit: string;
  path: string;
  rows: number;
  pending: ChargeRows | null;
}

/**
 * Charges on their way into the engine, in files by unit: what an import has to write is known only after its last row was read,
 * and a bill does not fit memory.
 */
export class Spool {
  readonly folder: string;
  readonly #importId: number;
  readonly #units = new Map<string, Growing>();
  readonly #full: Segment[] = [];
  #files = 0;
  #pendingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #unwritten = 0;

  private constructor(folder: string, importId: number) {
    this.folder = folder;
    this.#importId = importId;
  }

  static async open(scratch: string, importId: number): Promise<Spool> {
    const spool = new Spool(resolve(scratch, `bill-${importId}`), importId);
    await mkdir(spool.folder, { recursive: true });
    return spool;
  }

  /** Takes  bytes and fixedAt: the charge as ChargeWriter wrote it. */
  add(unit: string, charge: Charge, line: number, bytes: Buffer, fixedAt: number, keys: ColumnKeys): void {
    const growing = this.#units.get(unit) ?? { unit, path: this.#nextPath(), rows: 0, pending: null };
    this.#units.set(unit, growing);
    growing.pending ??= new ChargeRows(charge, keys);
    this.#pendingBytes += growing.pending.add(charge, line, bytes, fixedAt);
    growing.rows += 1;
    if (growing.rows === SEGMENT_ROWS) this.#rotate(growing);
    if (this.#pendingBytes >= PENDING_BYTES) this.#flushAll();
  }

  /** Waits until at most one flush is still being written, while the reading goes on. Fails when one could not be. */
  async room(): Promise<void> {
    if (this.#unwritten > 1) await this.#writing;
  }

  /** Every file, complete on disk. */
  async finish(): Promise<readonly Segment[]> {
    this.#flushAll();
    await this.#writing;
    const last = [...this.#units.values()].filter((growing) => growing.rows > 0);
    return [...this.#full, ...last.map(({ unit, path, rows }) => ({ unit, path, rows }))];
  }

  async remove(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await rm(this.folder, { recursive: true, force: true });
  }

  #rotate(growing: Growing): void {
    this.#flush(growing);
    this.#full.push({ unit: growing.unit, path: growing.path, rows: growing.rows });
    growing.path = this.#nextPath();
    growing.rows = 0;
  }

  #flushAll(): void {
    if (this.#pendingBytes === 0) return;
    this.#unwritten += 1;
    for (const growing of this.#units.values()) this.#flush(growing);
    this.#pendingBytes = 0;
    this.#then(async () => {
      this.#unwritten -= 1;
    });
  }

  #flush(growing: Growing): void {
    if (growing.pending === null) return;
    const pieces = [...growing.pending.block(this.#importId).pieces()];
    const { path } = growing;
    growing.pending = null;
    this.#then(() => writePieces(path, pieces, 'a'));
  }

  /** Writes one thing after the other. A failure is met by whoever waits next. */
  #then(work: () => Promise<void>): void {
    this.#writing = this.#writing.then(work);
    this.#writing.catch(() => undefined);
  }

  #nextPath(): string {
    return join(this.folder, `${this.#files++}.native`);
  }
}

/** Removes the spools that crashed imports left behind. */
export async function removeOldSpools(scratch: string, beforeId: number): Promise<void> {
  const names = await readdir(scratch).catch(() => []);
  const old = names.filter((name) => Number(/^bill-(\d+)$/.exec(name)?.[1] ?? beforeId) < beforeId);
  for (const name of old) await rm(join(scratch, name), { recursive: true, force: true });
}
