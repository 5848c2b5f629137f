import { Block } from '../../store/index.ts';
import { measures, type SpanTable } from '../table/span-table.ts';
import { NOBODY } from './forest.ts';
import type { Changes, StoredVersion } from './versions.ts';
import type { Work } from './work.ts';

/** Which batch rows belong to. */
export interface BatchName {
  readonly batch: number;
  /** Days since 1970 UTC on which its segment was begun. */
  readonly receivedDay: number;
}

const DATE_TIME = "DateTime64(9, 'UTC')";

/** Builds the rows of a batch for the table `work`: what is new first, then what is taken back. */
export function workBlock(work: Work, changes: Changes, { batch, receivedDay }: BatchName): Block {
  const { added, outdated } = changes;
  const block = new Block(added.length + outdated.length);
  block.constant('batch', 'UInt64', bytes(BigUint64Array.of(BigInt(batch))));
  block.fixed(
    'sign',
    'Int8',
    Int8Array.from({ length: block.rows }, (_, at) => (at < added.length ? 1 : -1)),
  );
  block.constant('received', 'Date', bytes(Uint16Array.of(receivedDay)));
  addDecided(block, work, added, outdated);
  const rows = new Int32Array(block.rows);
  for (let at = 0; at < added.length; at++) rows[at] = work.row[added[at]!]!;
  outdated.forEach((version, at) => {
    rows[added.length + at] = version.row;
  });
  addSent(block, work.forest.table, rows);
  return block;
}

function bytes(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** What assembly decided: whose work it is, how much of it counts, and what it is worth. */
function addDecided(block: Block, work: Work, added: Int32Array, outdated: readonly StoredVersion[]): void {
  const { forest, names, measure } = work;
  const { table } = forest;
  const { trace, span, consumer } = table;
  const [callTrace, callSpan] = [new Uint32Array(block.rows * 4), new Uint32Array(block.rows * 2)];
  const [isCall, share] = [new Uint8Array(block.rows), new Uint32Array(block.rows * 2)];
  const texts = { tenant: names.tenant, endpoint: names.endpoint, consumer, resolver: names.resolver };
  const ids = Object.fromEntries(Object.keys(texts).map((column) => [column, new Uint32Array(block.rows)])) as Record<
    keyof typeof texts,
    Uint32Array
  >;
  for (let at = 0; at < added.length; at++) {
    const entry = added[at]!;
    const root = work.root[entry]!;
    setU64(share, at, work.share[entry]!);
    if (root === NOBODY) continue;
    for (let word = 0; word < 4; word++) callTrace[at * 4 + word] = trace[root * 4 + word]!;
    callSpan[at * 2] = span[root * 2]!;
    callSpan[at * 2 + 1] = span[root * 2 + 1]!;
    isCall[at] = root === work.row[entry] ? 1 : 0;
    ids.tenant[at] = names.tenant[root]!;
    ids.endpoint[at] = names.endpoint[root]!;
    ids.consumer[at] = consumer[root]!;
    ids.resolver[at] = names.resolver[root]!;
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
    block.texts(column, table.texts, ids[column]);
  const values = (measured: Float64Array | Uint8Array, said: keyof StoredVersion) => (at: number) =>
    at < added.length ? measured[work.row[added[at]!]!]! : (outdated[at - added.length]![said] as number);
  block.fixed('busy_us', 'UInt64', u64s(block.rows, values(measure.busyUs, 'busyUs')));
  block.fixed('db_calls', 'UInt8', u8s(block.rows, values(measure.isDbCall, 'isDbCall')));
  block.fixed('db_us', 'UInt64', u64s(block.rows, values(measure.dbUs, 'dbUs')));
  block.fixed('ext_calls', 'UInt8', u8s(block.rows, values(measure.isExternal, 'isExternal')));
  block.fixed('ext_us', 'UInt64', u64s(block.rows, values(measure.extUs, 'extUs')));
  block.fixed('is_reversed', 'UInt8', u8s(block.rows, values(measure.isReversed, 'isReversed')));
  block.fixed('repeats_tokens', 'UInt8', u8s(block.rows, values(measure.repeatsTokens, 'repeatsTokens')));
  block.fixed('is_retry', 'UInt8', u8s(block.rows, values(measure.isRetry, 'isRetry')));
}

/** What the sender said, as it lies in the table. */
function addSent(block: Block, table: SpanTable, rows: Int32Array): void {
  block.fixed(
    'segment',
    'UInt64',
    u64s(rows.length, (at) => table.segment[rows[at]!]!),
  );
  block.fixed('position', 'UInt32', gathered(table.position, rows, 1));
  block.fixed('trace_id', 'FixedString(16)', gathered(table.trace, rows, 4));
  block.fixed('span_id', 'FixedString(8)', gathered(table.span, rows, 2));
  block.fixed('parent_id', 'FixedString(8)', gathered(table.parent, rows, 2));
  block.fixed('start_at', DATE_TIME, gathered(table.start, rows, 2));
  block.fixed('end_at', DATE_TIME, gathered(table.end, rows, 2));
  block.fixed('weight', 'UInt64', gathered(table.weight, rows, 2));
  block.fixed('status', 'UInt16', gathered(table.status, rows, 1));
  for (const [name, column] of flagsOf(table)) block.fixed(name, 'UInt8', gathered(column, rows, 1));
  for (const [name, column] of textsOf(table)) block.texts(name, table.texts, gathered(column, rows, 1));
  measures.forEach((measure, which) => {
    const column = (table.measured & (1 << which)) === 0 ? null : (table.measures[which] ?? null);
    if (column === null) return;
    const nulls = Uint8Array.from({ length: rows.length }, (_, at) => (column[rows[at]!]! >= 0 ? 0 : 1));
    const values = u64s(rows.length, (at) => (nulls[at] === 1 ? 0 : column[rows[at]!]!));
    block.nullable(measure, 'UInt64', nulls, values);
  });
  if (table.links.size > 0) addLinks(block, table, rows);
}

function flagsOf(table: SpanTable): readonly (readonly [string, Uint8Array])[] {
  const { origin, kind, isTimed, isWeightKnown, isDb, isError } = table;
  return [
    ...([
      ['origin', origin],
      ['kind', kind],
      ['is_timed', isTimed],
    ] as const),
    ...([
      ['is_weight_known', isWeightKnown],
      ['is_db', isDb],
      ['is_error', isError],
    ] as const),
  ];
}

function textsOf(table: SpanTable): readonly (readonly [string, Uint32Array])[] {
  const { namespace, service, pod, name, peer, endpoint, tenant, resolver } = table;
  const { resourceTenant, resourceResolver, consumer, callKind, region, version, flags } = table;
  return [
    ...([
      ['namespace', namespace],
      ['service', service],
      ['pod', pod],
      ['name', name],
      ['peer', peer],
    ] as const),
    ...([
      ['own_endpoint', endpoint],
      ['own_tenant', tenant],
      ['own_resolver', resolver],
    ] as const),
    ...([
      ['resource_tenant', resourceTenant],
      ['resource_resolver', resourceResolver],
    ] as const),
    ...([
      ['own_consumer', consumer],
      ['call_kind', callKind],
      ['region', region],
      ['version', version],
      ['flags', flags],
    ] as const),
  ];
}

function addLinks(block: Block, table: SpanTable, rows: Int32Array): void {
  const items: Uint8Array[] = [];
  let count = 0;
  const ends: number[] = [];
  for (const row of rows) {
    const links = table.links.get(row);
    if (links) {
      items.push(bytes(links));
      count += links.length / 6;
    }
    ends.push(count);
  }
  block.lists('links', 'FixedString(24)', ends, Buffer.concat(items));
}

function gathered<C extends Uint8Array | Uint16Array | Uint32Array>(column: C, rows: Int32Array, stride: number): C {
  const values = new (column.constructor as new (length: number) => C)(rows.length * stride);
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
  words[at * 2] = value >>> 0;
  words[at * 2 + 1] = value / 2 ** 32;
}

function u64s(rows: number, value: (at: number) => number): Uint32Array {
  const words = new Uint32Array(rows * 2);
  for (let at = 0; at < rows; at++) setU64(words, at, value(at));
  return words;
}

function u8s(rows: number, value: (at: number) => number): Uint8Array {
  const flags = new Uint8Array(rows);
  for (let at = 0; at < rows; at++) flags[at] = value(at);
  return flags;
}
