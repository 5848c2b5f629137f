import { type FileMetaData, type ParquetParsers, parquetSchema, type SchemaElement, type SchemaTree } from 'hyparquet';
import { SharedValue, type TableColumn } from './table.ts';

/** A column of a Parquet file: a field, or a field of a struct. */
export interface ParquetColumn extends TableColumn {
  /** The top-level field that it is read with. */
  readonly field: string;
  /** Takes the value out of that of the top-level field. */
  readonly of: (value: unknown) => unknown;
}

/** Times as text to the digit they were written with; JSON as it stands. */
export const exactParsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (millis) => instantText(BigInt(millis), 1_000n, 3),
  timestampFromMicroseconds: (micros) => instantText(BigInt(micros), 1_000_000n, 6),
  timestampFromNanoseconds: (nanos) => instantText(BigInt(nanos), 1_000_000_000n, 9),
  dateFromDays: (days) => instantText(BigInt(days) * 86_400n, 1n, 0),
  jsonFromBytes: (bytes) => utf8(bytes),
};

/**
 * Gives the columns of a file, and takes the DECIMAL marks off its schema: the library would turn decimals into doubles,
 * without the mark it hands out the whole numbers behind them.
 *
 * Takes  metadata: freshly read, changed here.
 * Gives  one column per field in file order; of a struct one per field of it, named `struct.field`.
 */
export function exactColumns(metadata: FileMetaData): ParquetColumn[] {
  return parquetSchema(metadata).children.flatMap((field) => columnsOf(field, field.element.name, itself, []));
}

function itself(value: unknown): unknown {
  return value;
}

function columnsOf(tree: SchemaTree, field: string, of: (value: unknown) => unknown, path: string[]): ParquetColumn[] {
  const { element, children } = tree;
  const names = [...path, element.name];
  const isStruct =
    children.length > 0 && element.repetition_type !== 'REPEATED' && element.converted_type === undefined;
  if (isStruct && element.logical_type === undefined) {
    return children.flatMap((child) => {
      const { name } = child.element;
      const inside = (value: unknown) => (of(value) as Record<string, unknown> | null | undefined)?.[name];
      return columnsOf(child, field, inside, names);
    });
  }
  const text = textOf(tree);
  return [{ name: names.join('.'), field, of, text: (value) => cellText(value, text) }];
}

function cellText(value: unknown, text: (value: unknown) => string): string {
  if (value instanceof SharedValue) {
    value.text ??= cellText(value.raw, text);
    return value.text;
  }
  return isNull(value) ? '' : text(value);
}

function isNull(value: unknown): boolean {
  return value === null || value === undefined;
}

/** Lists and maps become JSON; the decimals in them keep their digits as texts. */
function textOf(tree: SchemaTree): (value: unknown) => string {
  if (tree.children.length === 0 && tree.element.repetition_type !== 'REPEATED') return leafText(tree.element);
  const exact = exactInside(tree);
  return (value) => plainText(exact(value));
}

function exactInside({ element, children }: SchemaTree): (value: unknown) => unknown {
  if (children.length === 0) {
    const isDecimal = isDecimalElement(element);
    const text = leafText(element);
    return isDecimal
      ? (value) => (Array.isArray(value) ? value.map(text) : isNull(value) ? null : text(value))
      : itself;
  }
  const inside = new Map(children.map((child) => [child.element.name, exactInside(child)]));
  // A list is three levels in the schema and one in its value.
  const only = [...inside.values()][0]!;
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (isNull(value) || typeof value !== 'object' || value instanceof Uint8Array) return only(value);
    const fields = Object.entries(value as Record<string, unknown>);
    if (!fields.every(([name]) => inside.has(name))) return only(value);
    return Object.fromEntries(fields.map(([name, each]) => [name, inside.get(name)!(each)]));
  };
  return walk;
}

function isDecimalElement(element: SchemaElement): boolean {
  return element.converted_type === 'DECIMAL' || element.logical_type?.type === 'DECIMAL';
}

function leafText(element: SchemaElement): (value: unknown) => string {
  if (!isDecimalElement(element)) return element.type === 'FLOAT' ? (value) => floatText(value as number) : plainText;
  const logicalScale = element.logical_type?.type === 'DECIMAL' ? element.logical_type.scale : 0;
  const scale = element.scale ?? logicalScale;
  delete element.converted_type;
  delete element.logical_type;
  return (value) => decimalText(wholeNumber(value), scale);
}

/** The number behind a decimal: an integer, or big-endian two's complement bytes. */
function wholeNumber(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (!(value instanceof Uint8Array)) return BigInt(value as number);
  if (value.length === 16) return longNumber(new DataView(value.buffer, value.byteOffset, 16), 0);
  const hex = Buffer.from(value).toString('hex');
  return hex === '' ? 0n : BigInt.asIntN(value.length * 8, BigInt(`0x${hex}`));
}

/** The usual width of a decimal, and mostly a small number in it. */
export function longNumber(bytes: DataView, at: number): bigint {
  const high = bytes.getBigInt64(at);
  const low = bytes.getBigUint64(at + 8);
  return high === 0n ? low : (high << 64n) | low;
}

/** Writes value x 10^-scale. */
export function decimalText(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${value < 0n ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? '.' : ''}${digits.slice(point)}`;
}

/** The shortest decimal text that a 32-bit float is the nearest of; as a double it would show noise digits. */
export function floatText(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return utf8(value);
  return typeof value === 'object' ? JSON.stringify(value, jsonValue) : String(value);
}

function jsonValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Uint8Array ? utf8(value) : value;
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function instantText(units: bigint, perSecond: bigint, digits: number): string {
  const fraction = ((units % perSecond) + perSecond) % perSecond;
  const seconds = new Date(Number((units - fraction) / perSecond) * 1000);
  // Out of the range of dates: the number itself, which is then refused as a time with its line.
  if (Number.isNaN(seconds.getTime())) return units.toString();
  const decimals = fraction === 0n ? '' : `.${fraction.toString().padStart(digits, '0')}`;
  return seconds.toISOString().replace('.000Z', `${decimals}Z`);
}
