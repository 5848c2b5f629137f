import { createInterface } from 'node:readline';
import { pipeline, type Readable } from 'node:stream';
import { withExactNumbers } from '../collect/index.ts';
import { damagedFile, fileFailure } from './file-failure.ts';
import { type Packing, unpackedParts } from './read-csv.ts';
import { type BillFile, type Table, type TableRow, textColumn } from './table.ts';

const BATCH_ROWS = 1_000;
/** A document that is not lines is held whole. */
const LARGEST_DOCUMENT = 256 * 1024 * 1024;
const MOST_COLUMNS = 5_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads JSON as a table: one object per line, a list of objects, or the answer of an allocation API (`{ data: [{ name: object }] }`).
 *
 * Gives  a column per field, of an object inside one `outer.inner`; lists, and what is deeper, as JSON text. Numbers keep their digits.
 * Holds  of lines one batch in memory; they are read twice, because a line may have fields that no line before it had.
 * Fails  FILE_DAMAGED with the line that is no JSON, and for another document than these.
 */
export async function openJson(file: BillFile, packing: Packing): Promise<Table> {
  const isLines = await hasObjectPerLine(file, packing);
  const records = isLines ? () => linesOf(file, packing) : await documentRecords(file, packing);
  const places = new Map<string, number>();
  for await (const { fields } of records()) {
    for (const name of Object.keys(fields)) if (!places.has(name)) places.set(name, places.size);
    if (places.size > MOST_COLUMNS) throw damagedFile(file, `it has more than ${MOST_COLUMNS} different fields`);
  }
  return { columns: [...places.keys()].map(textColumn), line: 0, batches: batchesOf(records(), places) };
}

interface Numbered {
  readonly line: number;
  readonly fields: Readonly<Record<string, string>>;
}

async function* batchesOf(
  records: AsyncIterable<Numbered>,
  places: ReadonlyMap<string, number>,
): AsyncGenerator<Iterable<TableRow>> {
  let batch: TableRow[] = [];
  for await (const { line, fields } of records) {
    const cells: string[] = new Array(places.size).fill('');
    for (const [name, text] of Object.entries(fields)) cells[places.get(name)!] = text;
    batch.push({ line, cells });
    if (batch.length < BATCH_ROWS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

async function hasObjectPerLine(file: BillFile, packing: Packing): Promise<boolean> {
  for await (const text of textLines(file, packing)) {
    if (text.trim() === '') continue;
    const first = parsed(text);
    return isFields(first) && !('data' in first && Array.isArray(first.data));
  }
  return false;
}

async function* linesOf(file: BillFile, packing: Packing): AsyncGenerator<Numbered> {
  let line = 0;
  for await (const text of textLines(file, packing)) {
    line += 1;
    if (text.trim() === '') continue;
    const record = parsed(text);
    if (!isFields(record)) throw damagedFile(file, 'the line is no JSON object; the file may be cut short', line);
    yield { line, fields: flattened(record) };
  }
}

async function* textLines(file: BillFile, packing: Packing): AsyncGenerator<string> {
  const parts = unpackedParts(file.path, packing);
  const last = parts.at(-1) as Readable;
  const ended = new Promise<unknown>((done) => {
    last.once('error', done).once('end', () => done(null));
    if (parts.length > 1) pipeline(parts, () => undefined);
  });
  const lines = createInterface({ input: last, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    let isFirst = true;
    for await (const text of lines) {
      yield isFirst ? text.replace(/^\uFEFF/, '') : text;
      isFirst = false;
    }
    const cause = await ended;
    if (cause !== null) throw cause;
  } catch (cause) {
    throw fileFailure(file, cause);
  } finally {
    lines.close();
    for (const part of parts) part.destroy();
  }
}

async function documentRecords(file: BillFile, packing: Packing): Promise<() => AsyncGenerator<Numbered>> {
  const texts: string[] = [];
  let size = 0;
  for await (const text of textLines(file, packing)) {
    size += text.length;
    if (size > LARGEST_DOCUMENT)
      throw damagedFile(file, 'a JSON document this large must be written one object per line');
    texts.push(text);
  }
  const document = parsed(texts.join('\n'));
  if (document === undefined) throw damagedFile(file, 'the JSON document is cut short or malformed');
  const records = recordsOf(document);
  if (records === null) throw damagedFile(file, 'the JSON document is no list of rows');
  return async function* () {
    for (const [place, record] of records.entries()) yield { line: place + 1, fields: flattened(record) };
  };
}

function recordsOf(document: unknown): Fields[] | null {
  const list = isFields(document) ? document.data : document;
  if (!Array.isArray(list) || !list.every((item) => item === null || isFields(item))) return null;
  return (list as (Fields | null)[]).flatMap((item) => (item === null ? [] : isSet(item) ? setRecords(item) : [item]));
}

/** A set of allocations: objects by name, and nothing else. */
function isSet(item: Fields): boolean {
  const values = Object.values(item);
  return values.length > 0 && values.every((value) => isFields(value) && 'window' in value);
}

function setRecords(set: Fields): Fields[] {
  return Object.entries(set).map(([name, fields]) => ({ name, ...(fields as Fields) }));
}

/** Undefined for what is no JSON. Numbers that a double would round come as texts. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(withExactNumbers(text) || text);
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function flattened(record: Fields): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(record)) {
    if (!isFields(value)) fields[name] = textOf(value);
    else for (const [inner, deeper] of Object.entries(value)) fields[`${name}.${inner}`] = textOf(deeper);
  }
  return fields;
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
