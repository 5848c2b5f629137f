import { Block, RowWriter } from '../store/index.ts';
import type { Cell } from './cell.ts';
import { type Charge, FIXED_BYTES } from './charge.ts';
import type { ColumnKeys } from './column-cells.ts';

/** The columns of table `charges`, as a block of them holds them. */
export const chargeColumns = [
  ...['import_id', 'line', 'source', 'account', 'currency', 'billing_start', 'billing_end', 'charge_start'],
  ...['charge_end', 'billed', 'effective', 'list', 'contracted', 'columns', 'tags'],
];

const times = ['billing_start', 'billing_end', 'charge_start', 'charge_end'];
const amounts = ['billed', 'effective', 'list', 'contracted'];

/** Whole numbers, one behind the other, in memory that grows. */
class Numbers {
  list = new Uint32Array(1 << 10);
  #count = 0;

  /** Makes room for so many more; gives where they begin. */
  room(more: number): number {
    const start = this.#count;
    this.#count += more;
    if (this.#count > this.list.length) {
      const grown = new Uint32Array(Math.max(this.list.length * 2, this.#count));
      grown.set(this.list);
      this.list = grown;
    }
    return start;
  }

  all(): Uint32Array {
    return this.list.subarray(0, this.#count);
  }
}

/** Numbers for blocks, so that a cell knows in which it has a number. */
let blocks = 1;

/** Charges of one (source, account, billing period) on their way into the engine, by columns. */
export class ChargeRows {
  readonly #keys: ColumnKeys;
  readonly #source: string;
  readonly #account: string;
  readonly #currencies: { value: string; rows: number }[] = [];
  readonly #lines = new RowWriter(1 << 10);
  readonly #times = times.map(() => new RowWriter(1 << 10));
  readonly #amounts = amounts.map(() => new RowWriter(1 << 10));
  /** Of each row where its entries end, of each entry the numbers of its column and of its text; 0 is the empty one. */
  readonly #columns = { ends: [] as number[], keys: new Numbers(), values: new Numbers() };
  readonly #texts = new RowWriter(1 << 12);
  #textCount = 1;
  readonly #number = blocks++;
  readonly #tags = { ends: [] as number[], keys: new RowWriter(1 << 8), values: new RowWriter(1 << 8), count: 0 };
  #rows = 0;

  constructor(first: Charge, keys: ColumnKeys) {
    this.#keys = keys;
    this.#texts.text('');
    this.#source = first.source;
    this.#account = first.account;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Takes  bytes: the charge as ChargeWriter writes it, and where in them its fixed part begins. Gives  how much more it holds. */
  add(charge: Charge, line: number, bytes: Buffer, fixedAt: number): number {
    this.#rows += 1;
    this.#lines.u32(line);
    const last = this.#currencies.at(-1);
    if (last?.value === charge.currency) last.rows += 1;
    else this.#currencies.push({ value: charge.currency, rows: 1 });
    let at = fixedAt;
    for (const column of this.#times) {
      column.copy(bytes, at, at + 4);
      at += 4;
    }
    for (const column of this.#amounts) {
      column.copy(bytes, at, at + 16);
      at += 16;
    }
    const { keys, values, ends } = this.#columns;
    const before = this.#texts.sizeBytes;
    const { cells } = charge;
    const start = keys.room(cells.length);
    values.room(cells.length);
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!;
      keys.list[start + i] = cell.key + 1;
      values.list[start + i] = this.#textOf(cell);
    }
    ends.push(start + cells.length);
    this.#addTags(charge);
    return this.#texts.sizeBytes - before + FIXED_BYTES + charge.cells.length * 8 + charge.tags.bytes.length;
  }

  /** The number of a cell's text in this block. It is kept with the cell, for the next row that has it. */
  #textOf(cell: Cell): number {
    if (cell.inBlock === this.#number) return cell.textInBlock;
    this.#texts.text(cell.text);
    cell.inBlock = this.#number;
    cell.textInBlock = this.#textCount;
    return this.#textCount++;
  }

  #addTags({ tags }: Charge): void {
    this.#tags.keys.raw(tags.keys);
    this.#tags.values.raw(tags.values);
    this.#tags.count += tags.count;
    this.#tags.ends.push(this.#tags.count);
  }

  block(importId: number): Block {
    const block = new Block(this.#rows);
    block.constant('import_id', 'UInt64', new Uint8Array(BigUint64Array.of(BigInt(importId)).buffer));
    block.fixed('line', 'UInt32', this.#lines.bytes());
    block.text('source', this.#source);
    block.text('account', this.#account);
    block.textRuns('currency', this.#currencies);
    for (const [place, name] of times.entries()) block.fixed(name, "DateTime('UTC')", this.#times[place]!.bytes());
    for (const [place, name] of amounts.entries()) block.fixed(name, 'Decimal(38, 18)', this.#amounts[place]!.bytes());
    const { ends, keys, values } = this.#columns;
    const texts = { count: this.#textCount, bytes: this.#texts.bytes() };
    block.namedTexts('columns', ends, this.#keys.names, keys.all(), texts, values.all());
    block.textMaps('tags', this.#tags.ends, this.#tags.keys.bytes(), this.#tags.values.bytes());
    return block;
  }
}
