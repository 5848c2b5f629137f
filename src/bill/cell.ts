import { Failure, type ParsedMoney, parseInstant, parseMoney } from '../model/index.ts';
import type { RowWriter } from '../store/index.ts';
import type { DirtCounts, DirtKind } from './dirt.ts';
import { type TextMap, tagsFromJson } from './tags.ts';

const nullWords = new Set(['NULL', 'null', 'Null', '(null)', '(NULL)', '\\N']);
const LONGEST_NULL = 6;
const HAS_ZONE = /(Z|UTC|[+-]\d{2}:?\d{2})\s*$/;
/** The engine counts seconds in 32 bits, which end in 2106. */
const LAST_INSTANT_MS = 0xffff_ffff * 1000;

/** A time, and whether a zone stood with it. */
export interface Instant {
  readonly ms: number;
  readonly hasZone: boolean;
}

/** Tags as the engine takes them: each key and each value behind its length. */
export interface Tags {
  readonly count: number;
  readonly bytes: Buffer;
  /** The keys alone, and the values. */
  readonly keys: Buffer;
  readonly values: Buffer;
}

const noDirt: readonly DirtKind[] = [];

export const noTags: Tags = tagsOf([]);

/**
 * One value of one column of a bill, and all that is made of it. A bill has few distinct values and many rows: making each of
 * them once is what makes an import quick.
 */
export class Cell {
  readonly column: string;
  /** The number of the column in this import. */
  readonly key: number;
  /** Without spaces around it, in the case of the specification; empty for null. */
  readonly text: string;
  readonly dirt: readonly DirtKind[];
  /** True when its column is a closed list and this is not on it. */
  readonly isUnlisted: boolean;
  /** True when it holds something, there is nothing to say of it, and it is kept as it is. */
  readonly isPlain: boolean;
  /** The block of charges in which its text has a number, and that number. */
  inBlock = 0;
  textInBlock = 0;
  readonly #name: Buffer;
  #entry: Buffer | null = null;
  #isMet = false;
  #money: ParsedMoney | 'too large' | 'no amount' | undefined;
  #instant: Instant | null | undefined;
  #tags: { readonly tags: Tags | null; readonly dirt: DirtCounts } | undefined;

  /** Takes  name: the column behind its length, made once for all of its cells. */
  constructor(column: string, key: number, name: Buffer, written: string, values?: ReadonlyMap<string, string>) {
    const trimmed = written.trim();
    const isNull = trimmed === '' || (trimmed.length <= LONGEST_NULL && nullWords.has(trimmed));
    this.column = column;
    this.key = key;
    this.text = isNull ? '' : (values?.get(trimmed.toLowerCase()) ?? trimmed);
    this.isUnlisted = !isNull && values !== undefined && !values.has(trimmed.toLowerCase());
    this.dirt = isNull ? (trimmed === '' ? noDirt : ['nullWord']) : this.#wordDirt(trimmed);
    this.isPlain = this.text !== '' && this.dirt.length === 0 && !this.isUnlisted && column !== 'Tags';
    this.#name = name;
  }

  #wordDirt(trimmed: string): readonly DirtKind[] {
    if (this.text === trimmed && !this.isUnlisted) return noDirt;
    const isUnknown = this.column === 'ChargeCategory' && this.isUnlisted;
    return [
      ...(this.text === trimmed ? [] : ['valueCase' as const]),
      ...(isUnknown ? ['unknownCategory' as const] : []),
    ];
  }

  /** Writes column and text as the engine takes an entry of a map, each behind its length. The bytes of a value that comes again are kept. */
  writeEntry(to: RowWriter): void {
    if (this.#entry !== null) {
      to.raw(this.#entry);
      return;
    }
    const start = to.sizeBytes;
    to.raw(this.#name);
    to.text(this.text);
    if (this.#isMet) this.#entry = Buffer.from(to.bytes().subarray(start));
    this.#isMet = true;
  }

  money(): ParsedMoney | 'too large' | 'no amount' {
    this.#money ??= readMoney(this.text);
    return this.#money;
  }

  get hasExponent(): boolean {
    return this.text.includes('e') || this.text.includes('E');
  }

  /** Null when it is no time between 1970 and 2106. */
  instant(): Instant | null {
    if (this.#instant === undefined) this.#instant = readInstant(this.text);
    return this.#instant;
  }

  /** Tags are null when they cannot be read. */
  tags(): { readonly tags: Tags | null; readonly dirt: DirtCounts } {
    this.#tags ??= readTags(this.text);
    return this.#tags;
  }
}

/** A text behind its length in bytes. */
export function lengthFirst(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) length.push((rest % 0x80) | 0x80);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

function readMoney(text: string): ParsedMoney | 'too large' | 'no amount' {
  try {
    return parseMoney(text);
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    return cause.code === 'MONEY_TOO_LARGE' ? 'too large' : 'no amount';
  }
}

function readInstant(text: string): Instant | null {
  try {
    const ms = parseInstant(text);
    return ms >= 0 && ms <= LAST_INSTANT_MS ? { ms, hasZone: HAS_ZONE.test(text) } : null;
  } catch (cause) {
    if (cause instanceof Failure) return null;
    throw cause;
  }
}

function readTags(text: string): { tags: Tags | null; dirt: DirtCounts } {
  const dirt: DirtCounts = {};
  const texts = tagsFromJson(text, dirt);
  if (texts === null) return { tags: null, dirt: { ...dirt, tagsUnreadable: 1 } };
  return { tags: texts.length === 0 ? noTags : tagsOf(texts), dirt };
}

/** Takes  texts: sorted by name. */
export function tagsOf(texts: TextMap): Tags {
  const bytes = Buffer.concat(texts.flat().map(lengthFirst));
  const keys = Buffer.concat(texts.map(([key]) => lengthFirst(key)));
  const values = Buffer.concat(texts.map(([, value]) => lengthFirst(value)));
  return { count: texts.length, bytes, keys, values };
}
