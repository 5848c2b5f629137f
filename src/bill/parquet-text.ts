import { type FileMetaData, type ParquetParsers, parquetSchema, type SchemaElement } from 'hyparquet';

/** A column of a Parquet file and how its values are written as text. */
export interface ParquetColumn {
  readonly name: string;
  readonly text: (value: unknown) => string;
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
 * Gives  one column per top-level field, in file order.
 */
export function exactColumns(metadata: FileMetaData): ParquetColumn[] {
  return parquetSchema(metadata).children.map(({ element, children }) => {
    const isLeaf = children.length === 0;
    const text = isLeaf ? leafText(element) : plainText;
    return { name: element.name, text: (value) => (value === null || value === undefined ? '' : text(value)) };
  });
}

function leafText(element: SchemaElement): (value: unknown) => string {
  const isDecimal = element.converted_type === 'DECIMAL' || element.logical_type?.type === 'DECIMAL';
  if (!isDecimal) return element.type === 'FLOAT' ? (value) => floatText(value as number) : plainText;
  const logicalScale = element.logical_type?.type === 'DECIMAL' ? element.logical_type.scale : 0;
  const scale = element.scale ?? logicalScale;
  delete element.converted_type;
  delete element.logical_type;
  return (value) => decimalText(wholeNumber(value), scale);
}

/** The number behind a decimal: an integer, or big-endian two's complement bytes. */
function wholeNumber(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint);
  const hex = Buffer.from(value).toString('hex');
  return hex === '' ? 0n : BigInt.asIntN(value.length * 8, BigInt(`0x${hex}`));
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
