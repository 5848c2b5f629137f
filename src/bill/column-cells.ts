import { Cell, lengthFirst } from './cell.ts';
import { SharedValue, type TableColumn } from './table.ts';

/** Beyond so many distinct values the ones met so far are forgotten. */
const KEPT = 8_192;
/** A column that hits fewer of its kept values than one in so many is not kept at all: amounts, ids. */
const WORTH = 4;

/** Numbers for column names, the same over all files of an import. */
export class ColumnKeys {
  readonly names: string[] = [];
  readonly #keys = new Map<string, number>();

  has(name: string): boolean {
    return this.#keys.has(name);
  }

  of(name: string): number {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    this.#keys.set(name, this.names.length);
    return this.names.push(name) - 1;
  }
}

/** The values of one column, each made into a cell once. */
export class ColumnCells {
  readonly name: string;
  readonly #text: (raw: unknown) => string;
  readonly #key: number;
  readonly #nameBytes: Buffer;
  readonly #values: ReadonlyMap<string, string> | undefined;
  readonly #cells = new Map<unknown, Cell>();
  readonly #empty: Cell;
  #last: Cell;
  #lastRaw: unknown = null;
  #asked = 0;
  #isKept = true;

  /** Takes  name: what it is called here. values: the right form of a closed list by its lower-case form. */
  constructor(name: string, key: number, column: TableColumn, values?: ReadonlyMap<string, string>) {
    this.name = name;
    this.#key = key;
    this.#text = column.text;
    this.#values = values;
    this.#nameBytes = lengthFirst(name);
    this.#empty = new Cell(name, key, this.#nameBytes, '');
    this.#last = this.#empty;
  }

  of(raw: unknown): Cell {
    if (raw === null || raw === undefined || raw === '') return this.#empty;
    // Most columns have the value of the row before.
    if (raw === this.#lastRaw) return this.#last;
    this.#lastRaw = raw;
    this.#last = this.#found(raw);
    return this.#last;
  }

  #found(raw: unknown): Cell {
    if (raw instanceof SharedValue) {
      raw.made ??= this.#made(raw);
      return raw.made as Cell;
    }
    if (!this.#isKept) return this.#made(raw);
    this.#asked += 1;
    const known = this.#cells.get(raw);
    if (known !== undefined) return known;
    if (this.#cells.size >= KEPT) this.#forget();
    const cell = this.#made(raw);
    this.#cells.set(raw, cell);
    return cell;
  }

  #made(raw: unknown): Cell {
    return new Cell(this.name, this.#key, this.#nameBytes, this.#text(raw), this.#values);
  }

  #forget(): void {
    this.#isKept = this.#asked >= this.#cells.size * WORTH;
    this.#cells.clear();
    this.#asked = 0;
  }
}
