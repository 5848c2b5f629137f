import { Block, bytesOf } from '../../store/index.ts';
import { plainColumns, textColumns } from '../table/columns.ts';
import { LINK_WORDS, measures, type SpanTable } from '../table/span-table.ts';
import { NOBODY } from './forest.ts';
import type { Changes, StoredVersion } from './versions.ts';
import type { Work } from './work.ts';

/** Which batch rows belong to. */
export interface BatchName {
  readonly batch: number;
  /** Days since 1970 UTC on which its segment was begun. */
  readonly receivedDay: number;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

/**
 * Builds the rows of a batch for the table `work`: what is new first, then what is taken back. A column of nothing but zeros and
 * empty texts is left out: the engine fills it in by itself.
 */
export function workBlock(work: Work, changes: Changes, { batch, receivedDay }: BatchName): Block {
  const { added, outdated } = changes;
  const block = new Block(added.length + outdated.length);
  block.constant('batch', 'UInt64', bytesOf(BigUint64Array.of(BigInt(batch))));
  block.fixed('sign', 'Int8', new Int8Array(block.rows).fill(1, 0, added.length).fill(-1, added.length));
  block.constant('received', 'Date', bytesOf(Uint16Array.of(receivedDay)));
  addDecided(block, work, added, outdated);
  addMeasured(block, work, added, outdated);
  addSent(block, work.forest.table, rowsOf(work, added, outdated));
  return block;
}

/** Of each row of the block its row in the table. */
function rowsOf(work: Work, added: Int32Array, outdated: readonly StoredVersion[]): Int32Array {
  const rows = new Int32Array(added.length + outdated.length);
  for (let at = 0; at < added.length; at++) rows[at] = work.row[added[at]!]!;
  outdated.forEach((version, at) => {
    rows[added.length + at] = version.row;
  });
  return rows;
}

/** What assembly decided: whose work it is, and how much of it counts. */
function addDecided(block: Block, work: Work, added: Int32Array, outdated: readonly StoredVersion[]): void {
  const { forest, names } = work;
  const { table } = forest;
  const { trace, span, consumer } = table;
  const [callTrace, callSpan] = [new Uint32Array(block.rows * 4), new Uint32Array(block.rows * 2)];
  const [isCall, share] = [new Uint8Array(block.rows), new Uint32Array(block.rows * 2)];
  const texts = { tenant: names.tenant, endpoint: names.endpoint, consumer, resolver: names.resolver };
  const ids = Object.fromEntries(Object.keys(texts).map((column) => [column, new Uint32Array(block.rows)])) as Record<
    keyof typeof texts,
    Uint32Array
  >;
  const { tenant: tenants, endpoint: endpoints, consumer: consumers, resolver: resolvers } = ids;
  for (let at = 0; at < added.length; at++) {
    const entry = added[at]!;
    const root = work.root[entry]!;
    setU64(share, at, work.share[entry]!);
    if (root === NOBODY) continue;
    for (let word = 0; word < 4; word++) callTrace[at * 4 + word] = trace[root * 4 + word]!;
    callSpan[at * 2] = span[root * 2]!;
    callSpan[at * 2 + 1] = span[root * 2 + 1]!;
    isCall[at] = root === work.row[entry] ? 1 : 0;
    tenants[at] = names.tenant[root]!;
    endpoints[at] = names.endpoint[root]!;
    consumers[at] = consumer[root]!;
    resolvers[at] = names.resolver[root]!;
  }
  outdated.forEach((version, place) => {
    const at = added.length + place;
    callTrace.set(version.call.subarray(0, 4), at * 4);
    callSpan.set(version.call.subarray(4), at * 2);
    isCall[at] = version.isCall;
    setU64(share, at, version.share);
    for (const column of ['tenant', 'endpoint', 'consumer', 'resolver'] as const) ids[column][at] = version[column];
  });
  block.fixed('call_trace', 'FixedString(16)', callTrace);
  block.fixed('call_span', 'FixedString(8)', callSpan);
  block.fixed('is_call', 'UInt8', isCall);
  block.fixed('share', 'UInt64', share);
  for (const column of ['tenant', 'endpoint', 'consumer', 'resolver'] as const)
    addTexts(block, column, table, ids[column]);
}

/** What each row is worth: what was measured of its span, and what a row that is taken back said. */
function addMeasured(block: Block, work: Work, added: Int32Array, outdated: readonly StoredVersion[]): void {
  const { measure } = work;
  const wide = (column: string, measured: Float64Array, said: (version: StoredVersion) => number) => {
    if (!(isAnyAdded(work, added, measured) || outdated.some((version) => said(version) !== 0))) return;
    const words = new Uint32Array(block.rows * 2);
    for (let at = 0; at < added.length; at++) setU64(words, at, measured[work.row[added[at]!]!]!);
    outdated.forEach((version, at) => {
      setU64(words, added.length + at, said(version));
    });
    block.fixed(column, 'UInt64', words);
  };
  const flag = (column: string, measured: Uint8Array, said: (version: StoredVersion) => number) => {
    if (!(isAnyAdded(work, added, measured) || outdated.some((version) => said(version) !== 0))) return;
    const flags = new Uint8Array(block.rows);
    for (let at = 0; at < added.length; at++) flags[at] = measured[work.row[added[at]!]!]!;
    outdated.forEach((version, at) => {
      flags[added.length + at] = said(version);
    });
    block.fixed(column, 'UInt8', flags);
  };
  wide('busy_us', measure.busyUs, ({ busyUs }) => busyUs);
  flag('db_calls', measure.isDbCall, ({ isDbCall }) => isDbCall);
  wide('db_us', measure.dbUs, ({ dbUs }) => dbUs);
  flag('ext_calls', measure.isExternal, ({ isExternal }) => isExternal);
  wide('ext_us', measure.extUs, ({ extUs }) => extUs);
  flag('is_reversed', measure.isReversed, ({ isReversed }) => isReversed);
  flag('repeats_tokens', measure.repeatsTokens, ({ repeatsTokens }) => repeatsTokens);
  flag('is_retry', measure.isRetry, ({ isRetry }) => isRetry);
}

/** What the sender said, as it lies in the table. */
function addSent(block: Block, table: SpanTable, rows: Int32Array): void {
  const segments = new Uint32Array(rows.length * 2);
  for (let at = 0; at < rows.length; at++) setU64(segments, at, table.segment[rows[at]!]!);
  block.fixed('segment', 'UInt64', segments);
  const isInOrder = rows.every((row, at) => row === at);
  const gathered = <Column extends Words>(column: Column, stride: number) =>
    isInOrder ? (column.subarray(0, rows.length * stride) as Column) : gatheredRows(column, rows, stride);
  block.fixed('position', 'UInt32', gathered(table.position, 1));
  for (const { field, column, type, stride } of plainColumns) {
    const values = gathered(table[field] as Words, stride);
    if (!isZero(values)) block.fixed(column, type, values);
  }
  for (const { field, column } of textColumns) {
    const ids = table[field].subarray(0, table.rows);
    if (!isZero(ids)) block.texts(column, table.texts, ids, isInOrder ? undefined : rows);
  }
  measures.forEach((measure, which) => {
    const values = (table.measured & (1 << which)) === 0 ? null : (table.measures[which] ?? null);
    if (values !== null) addMeasure(block, measure, values, rows);
  });
  if (table.links.size > 0) addLinks(block, table, rows);
}

function addMeasure(block: Block, measure: string, values: Float64Array, rows: Int32Array): void {
  const [nulls, words] = [new Uint8Array(rows.length), new Uint32Array(rows.length * 2)];
  for (let at = 0; at < rows.length; at++) {
    const value = values[rows[at]!]!;
    if (value >= 0) setU64(words, at, value);
    else nulls[at] = 1;
  }
  block.nullable(measure, 'UInt64', nulls, words);
}

function addTexts(block: Block, column: string, table: SpanTable, ids: Uint32Array): void {
  if (!isZero(ids)) block.texts(column, table.texts, ids);
}

function addLinks(block: Block, table: SpanTable, rows: Int32Array): void {
  const items: Uint8Array[] = [];
  const ends = new Uint32Array(rows.length);
  for (let at = 0, count = 0; at < rows.length; at++) {
    const links = table.links.get(rows[at]!);
    if (links) {
      items.push(bytesOf(links));
      count += links.length / LINK_WORDS;
    }
    ends[at] = count;
  }
  block.lists('links', 'FixedString(24)', ends, Buffer.concat(items));
}

function isAnyAdded(work: Work, added: Int32Array, measured: Float64Array | Uint8Array): boolean {
  for (let at = 0; at < added.length; at++) if (measured[work.row[added[at]!]!] !== 0) return true;
  return false;
}

function isZero(values: Words): boolean {
  for (let at = 0; at < values.length; at++) if (values[at] !== 0) return false;
  return true;
}

function gatheredRows<Column extends Words>(column: Column, rows: Int32Array, stride: number): Column {
  const values = new (column.constructor as new (length: number) => Column)(rows.length * stride);
  if (stride === 1) for (let at = 0; at < rows.length; at++) values[at] = column[rows[at]!]!;
  else if (stride === 2) {
    for (let at = 0; at < rows.length; at++) {
      values[at * 2] = column[rows[at]! * 2]!;
      values[at * 2 + 1] = column[rows[at]! * 2 + 1]!;
    }
  } else {
    for (let at = 0; at < rows.length; at++) {
      for (let word = 0; word < stride; word++) values[at * stride + word] = column[rows[at]! * stride + word]!;
    }
  }
  return values;
}

function setU64(words: Uint32Array, at: number, value: number): void {
  words[at * 2] = value;
  words[at * 2 + 1] = value / 2 ** 32;
}
