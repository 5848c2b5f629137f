import { fail, type Problem } from '../model/index.ts';
import { BillCheck, type CheckedRow, type CheckReport, checkedRow } from './bill-check.ts';
import { type BillGroup, BillGroups } from './bill-group.ts';
import { type Charge, ChargeWriter } from './charge.ts';
import { chargeFromFocusRow, type FocusReading, focusReading } from './charge-from-focus-row.ts';
import { ColumnKeys } from './column-cells.ts';
import type { DirtCounts } from './dirt.ts';
import { headerProblems, readFocusHeader } from './focus-header.ts';
import { formatOf, missingColumns, providerOf } from './formats/formats.ts';
import { type BillFormat, type TranslatedRow, translated } from './formats/translation.ts';
import { type ExportPart, partsOf } from './manifest.ts';
import { endsInLine } from './read-csv.ts';
import { type Container, containerOf, openTable } from './read-table.ts';
import { type CategoryTotal, type ServiceTotal, ServiceTotals } from './service-totals.ts';
import type { Spool } from './spool.ts';
import type { BillFile, Table } from './table.ts';

/** Named in an answer; more would hide the first ones. */
const PROBLEMS_SHOWN = 100;
const SERVICES_SHOWN = 50;

export interface ReadFile {
  readonly name: string;
  readonly container: Container;
  readonly rows: number;
}

/** A whole export, checked and added up; its rows lie in the spool. */
export interface ReadBill {
  readonly files: readonly ReadFile[];
  readonly format: BillFormat;
  readonly rows: number;
  readonly groups: readonly BillGroup[];
  readonly byService: readonly ServiceTotal[];
  readonly byCategory: readonly CategoryTotal[];
  readonly check: CheckReport;
  readonly dirt: DirtCounts;
  /** Columns that a whole file lacks and that had to be made up for. */
  readonly absent: ReadonlySet<string>;
  /** What the provider's rules have to say. */
  readonly notes: readonly string[];
}

/** Hears how many rows were read so far. */
export type Progress = (rows: number) => void;

/** Whatever was wrong with an export, and what could be said of it nevertheless. */
export interface JudgedBill extends ReadBill {
  readonly problems: readonly Problem[];
  readonly problemCount: number;
}

/**
 * Reads all files of one export.
 *
 * Takes  files in any order, manifests among them; format: `auto` recognises a file by its columns. spool: takes the charges; null: nobody does.
 * Gives  its sums, its report, and what is wrong with it: the first 100 problems and their number.
 * Holds  one batch of rows and the sums in memory. Nothing is stored.
 * Fails  FORMAT_UNKNOWN, FILE_UNREADABLE, FILE_DAMAGED.
 */
export async function judgeBill(
  files: readonly BillFile[],
  format: 'auto' | BillFormat,
  spool: Spool | null,
  progress: Progress = () => undefined,
): Promise<JudgedBill> {
  const { parts, problems } = await partsOf(files);
  const reader = new BillReader(spool, format, parts);
  for (const problem of problems) reader.note(problem);
  if (problems.length === 0) for (const part of parts) await reader.read(part, progress);
  return reader.finish();
}

/**
 * Reads all files of one export, as judgeBill does, and refuses it for any problem.
 *
 * Fails  BILL_INVALID with the problems, and whatever judgeBill fails with.
 */
export async function readBill(
  files: readonly BillFile[],
  format: 'auto' | BillFormat,
  spool: Spool,
  progress?: Progress,
): Promise<ReadBill> {
  const { problems, problemCount, ...bill } = await judgeBill(files, format, spool, progress);
  if (problemCount > 0) throw fail('BILL_INVALID', { problems: problemCount }, problems);
  return bill;
}

class BillReader {
  readonly #spool: Spool | null;
  readonly #asked: 'auto' | BillFormat;
  readonly #names: readonly string[];
  readonly #writer = new ChargeWriter();
  readonly #keys = new ColumnKeys();
  readonly #groups = new BillGroups();
  readonly #services = new ServiceTotals();
  readonly #check = new BillCheck(this.#keys);
  readonly #dirt: DirtCounts = {};
  readonly #absent = new Set<string>();
  readonly #notes = new Set<string>();
  readonly #problems: Problem[] = [];
  readonly #files: ReadFile[] = [];
  #format: BillFormat | null = null;
  #problemCount = 0;
  #rows = 0;

  constructor(spool: Spool | null, asked: 'auto' | BillFormat, parts: readonly ExportPart[]) {
    this.#spool = spool;
    this.#asked = asked;
    this.#names = parts.map(({ name }) => name);
  }

  async read(part: ExportPart, progress: Progress): Promise<void> {
    const container = await containerOf(part);
    const before = this.#rows;
    const table = await this.#focusTable(await openTable(part, container), part);
    const reading = table && this.#header(table, part);
    if (!table || !reading) return;
    const checked = checkedRow(reading.row, reading.header);
    let sourceRows = 0;
    let lastLine = -1;
    for await (const batch of table.batches) {
      for (const row of batch as Iterable<TranslatedRow>) {
        if (row.line !== lastLine) sourceRows += 1;
        lastLine = row.line;
        this.#charge(row, part, reading, checked);
      }
      progress(this.#rows);
      await this.#spool?.room();
    }
    if (part.rows !== undefined && part.rows !== sourceRows) {
      this.note({ message: `its manifest says ${part.rows} rows and it has ${sourceRows}`, path: part.name });
    }
    if (container === 'plain' && table.line > 0 && !(await endsInLine(part))) {
      this.#notes.add(`${part.name} does not end with a line break: make sure that it is whole`);
    }
    this.#files.push({ name: part.name, container, rows: this.#rows - before });
  }

  note(problem: Problem): void {
    this.#problemCount += 1;
    if (this.#problems.length < PROBLEMS_SHOWN) this.#problems.push(problem);
  }

  finish(): JudgedBill {
    const check = this.#check.finish();
    for (const { file, line } of this.#check.doubled()) {
      const message = 'the row stands beside the allocated rows that it was split into; its cost would count twice';
      this.note({ message, path: file, line });
    }
    return {
      files: this.#files,
      format: this.#format ?? 'focus',
      rows: this.#rows,
      groups: this.#groups.finish(),
      byService: this.#services.largest(SERVICES_SHOWN),
      byCategory: this.#services.categories(SERVICES_SHOWN),
      check,
      dirt: this.#dirt,
      absent: this.#absent,
      notes: [...this.#notes],
      problems: this.#problems,
      problemCount: this.#problemCount,
    };
  }

  /** The file as a table of FOCUS; null after noting why it cannot be one. */
  async #focusTable(table: Table, part: ExportPart): Promise<Table | null> {
    const format = this.#asked === 'auto' ? formatOf(table) : this.#asked;
    if (format === null) throw fail('FORMAT_UNKNOWN', { file: part.name });
    if (this.#format !== null && this.#format !== format) {
      this.note({
        message: `it is ${format} and the files before it are ${this.#format}: import them apart`,
        path: part.name,
      });
      return null;
    }
    this.#format = format;
    const provider = providerOf(format);
    if (provider === null) return table;
    const missing = missingColumns(table, provider);
    for (const column of missing)
      this.note({ message: `the column ${column} is missing`, line: table.line, path: part.name });
    if (missing.length > 0) return null;
    return translated(table, provider, {
      file: part.label,
      files: this.#names,
      dirt: this.#dirt,
      note: (text) => this.#notes.add(text),
    });
  }

  /** Gives null after noting why the columns of a file cannot be used. */
  #header(table: Table, file: BillFile): FocusReading | null {
    const problems = headerProblems(table, file);
    for (const problem of problems) this.note(problem);
    if (problems.length > 0) return null;
    const header = readFocusHeader(table.columns, this.#keys, this.#dirt);
    for (const column of ['ListCost', 'ContractedCost']) if (!header.at.has(column)) this.#absent.add(column);
    return focusReading(header, this.#dirt);
  }

  #charge(row: TranslatedRow, file: BillFile, reading: FocusReading, checked: CheckedRow): void {
    this.#rows += 1;
    const charge = row.problems ?? chargeFromFocusRow(row.cells, reading);
    const problems = 'source' in charge ? this.#keep(charge, checked, row.line, file) : charge;
    for (const message of problems) this.note({ message, line: row.line, path: file.name });
  }

  #keep(charge: Charge, checked: CheckedRow, line: number, file: BillFile): readonly string[] {
    this.#check.add(charge, checked, file.name, line);
    const { bytes, fixedAt } = this.#writer.write(charge);
    const unit = this.#groups.add(charge, bytes);
    if (unit === null) return ['BillingPeriodEnd differs from that of other rows with the same BillingPeriodStart'];
    this.#services.add(charge, checked);
    // A bill with a problem is refused as a whole: go on only to find the others.
    if (this.#problemCount === 0) this.#spool?.add(unit, charge, this.#rows, bytes, fixedAt, this.#keys);
    return [];
  }
}
