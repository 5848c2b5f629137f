import { fail, type Problem } from '../model/index.ts';
import { RowWriter } from '../store/index.ts';
import { type BillGroup, BillGroups } from './bill-group.ts';
import { type Charge, PROVENANCE_BYTES, writeCharge } from './charge.ts';
import { chargeFromFocusRow, type FocusReading } from './charge-from-focus-row.ts';
import type { DirtCounts } from './dirt.ts';
import { headerProblems, isFocusHeader, readFocusHeader } from './focus-header.ts';
import type { InstantCache } from './focus-row.ts';
import { type Container, containerOf, readTable } from './read-table.ts';
import { type ServiceTotal, ServiceTotals } from './service-totals.ts';
import type { Spool } from './spool.ts';
import type { BillFile, TableRow } from './table.ts';

/** Named in an answer; more would hide the first ones. */
const PROBLEMS_SHOWN = 100;
const SERVICES_SHOWN = 50;

export type BillFormat = 'focus';

export interface ReadFile {
  readonly name: string;
  readonly container: Container;
  readonly rows: number;
}

/** A whole export, checked and added up; its rows lie in the spool. */
export interface ReadBill {
  readonly files: readonly ReadFile[];
  readonly rows: number;
  readonly groups: readonly BillGroup[];
  readonly byService: readonly ServiceTotal[];
  readonly dirt: DirtCounts;
  /** Columns that a whole file lacks and that had to be made up for. */
  readonly absent: ReadonlySet<string>;
}

/**
 * Reads all files of one export.
 *
 * Takes  files in any order; format: `auto` recognises a file by its header. spool: takes the rows under the import id.
 * Holds  one batch of rows and the sums in memory. Nothing is stored.
 * Fails  BILL_INVALID with the first 100 problems and their number; FORMAT_UNKNOWN, FILE_UNREADABLE, FILE_DAMAGED.
 */
export async function readBill(
  files: readonly BillFile[],
  format: 'auto' | BillFormat,
  importId: number,
  spool: Spool,
): Promise<ReadBill> {
  if (files.length === 0) throw fail('BILL_INVALID', { problems: 1 }, [{ message: 'no file was given' }]);
  const reader = new BillReader(importId, spool, format);
  for (const file of files) await reader.read(file);
  return reader.finish();
}

class BillReader {
  readonly #importId: number;
  readonly #spool: Spool;
  readonly #format: 'auto' | BillFormat;
  readonly #row = new RowWriter(4096);
  readonly #groups = new BillGroups();
  readonly #services = new ServiceTotals();
  readonly #dirt: DirtCounts = {};
  readonly #instants: InstantCache = new Map();
  readonly #absent = new Set<string>();
  readonly #problems: Problem[] = [];
  readonly #files: ReadFile[] = [];
  #problemCount = 0;
  #rows = 0;

  constructor(importId: number, spool: Spool, format: 'auto' | BillFormat) {
    this.#importId = importId;
    this.#spool = spool;
    this.#format = format;
  }

  async read(file: BillFile): Promise<void> {
    const container = await containerOf(file);
    const before = this.#rows;
    let reading: FocusReading | null = null;
    for await (const batch of readTable(file, container)) {
      const [first, ...others] = batch;
      const rows = reading ? batch : others;
      reading ??= this.#header(first!, file);
      if (!reading) return;
      for (const row of rows) this.#charge(row, file, reading);
    }
    if (!reading) throw fail('FORMAT_UNKNOWN', { file: file.name });
    this.#files.push({ name: file.name, container, rows: this.#rows - before });
  }

  finish(): ReadBill {
    if (this.#problemCount > 0) throw fail('BILL_INVALID', { problems: this.#problemCount }, this.#problems);
    return {
      files: this.#files,
      rows: this.#rows,
      groups: this.#groups.finish(),
      byService: this.#services.largest(SERVICES_SHOWN),
      dirt: this.#dirt,
      absent: this.#absent,
    };
  }

  /** Gives null after noting why the columns of a file cannot be used. */
  #header(row: TableRow, file: BillFile): FocusReading | null {
    if (this.#format === 'auto' && !isFocusHeader(row)) throw fail('FORMAT_UNKNOWN', { file: file.name });
    const problems = headerProblems(row, file);
    for (const problem of problems) this.#note(problem);
    if (problems.length > 0) return null;
    const header = readFocusHeader(row, this.#dirt);
    for (const column of ['ListCost', 'ContractedCost']) if (!header.at.has(column)) this.#absent.add(column);
    return { header, dirt: this.#dirt, instants: this.#instants };
  }

  #charge(row: TableRow, file: BillFile, reading: FocusReading): void {
    this.#rows += 1;
    const charge = chargeFromFocusRow(row.cells, reading);
    const problems = 'source' in charge ? this.#keep(charge) : charge;
    for (const message of problems) this.#note({ message, line: row.line, path: file.name });
  }

  #keep(charge: Charge): readonly string[] {
    // A bill with a problem is refused as a whole: go on only to find the others.
    if (this.#problemCount > 0) return [];
    this.#row.reset();
    writeCharge(this.#row, this.#importId, this.#rows, charge);
    const bytes = this.#row.bytes();
    const unit = this.#groups.add(charge, bytes.subarray(PROVENANCE_BYTES));
    if (unit === null) return ['BillingPeriodEnd differs from that of other rows with the same BillingPeriodStart'];
    this.#services.add(charge);
    this.#spool.add(unit, bytes);
    return [];
  }

  #note(problem: Problem): void {
    this.#problemCount += 1;
    if (this.#problems.length < PROBLEMS_SHOWN) this.#problems.push(problem);
  }
}
