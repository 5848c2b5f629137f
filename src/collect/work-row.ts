import { measuredDrivers } from '../model/index.ts';
import type { RowShape } from '../store/index.ts';

/** Columns that name the version of a row. */
const versionColumns: RowShape = [
  ['batch', 'UInt64'],
  ['sign', 'Int8'],
  ['received', 'Date'],
];

/** What assembly decides: whose work it is and how much of it counts. */
const decidedColumns: RowShape = [
  ['call_trace', 'FixedString(16)'],
  ['call_span', 'FixedString(8)'],
  ['is_call', 'UInt8'],
  ['share', 'UInt64'],
  ['tenant', 'String'],
  ['endpoint', 'String'],
  ['consumer', 'String'],
  ['resolver', 'String'],
  ['busy_us', 'UInt64'],
  ['db_calls', 'UInt8'],
  ['db_us', 'UInt64'],
  ['ext_calls', 'UInt8'],
  ['ext_us', 'UInt64'],
  ['is_reversed', 'UInt8'],
];

/** Where in the journal the span was first seen. */
const placeColumns: RowShape = [
  ['segment', 'UInt64'],
  ['position', 'UInt32'],
];

/** Quantities that are absent unless somebody measured them, in row order. */
export const measures = measuredDrivers;

/** What the sender said; copied byte for byte from the journal. */
const sentColumns: RowShape = [
  ['namespace', 'String'],
  ['trace_id', 'FixedString(16)'],
  ['span_id', 'FixedString(8)'],
  ['parent_id', 'FixedString(8)'],
  ['origin', 'UInt8'],
  ['kind', 'UInt8'],
  ['start_at', "DateTime64(9, 'UTC')"],
  ['end_at', "DateTime64(9, 'UTC')"],
  ['is_timed', 'UInt8'],
  ['weight', 'UInt64'],
  ['is_weight_known', 'UInt8'],
  ['service', 'String'],
  ['pod', 'String'],
  ['name', 'String'],
  ['peer', 'String'],
  ['is_db', 'UInt8'],
  ['own_endpoint', 'String'],
  ['status', 'UInt16'],
  ['is_error', 'UInt8'],
  ['own_tenant', 'String'],
  ['own_resolver', 'String'],
  ['resource_tenant', 'String'],
  ['resource_resolver', 'String'],
  ['own_consumer', 'String'],
  ...measures.map((measure) => [measure, 'Nullable(UInt64)'] as const),
  ['links', 'Array(FixedString(24))'],
];

/** A whole row, in the order of its bytes. */
export const workShape: RowShape = [...versionColumns, ...decidedColumns, ...placeColumns, ...sentColumns];

/** The columns of a row's body: everything but its version. Two equal bodies are the same statement about a span. */
export const bodyColumns: readonly string[] = [...decidedColumns, ...placeColumns, ...sentColumns].map(
  ([column]) => column,
);

/** Bytes of batch, sign and received. */
export const VERSION_BYTES = 8 + 1 + 2;

/** Where a row comes from: what the sender gave us. */
export const Origin = { span: 0, log: 1, event: 2 } as const;

/** Set in the length in front of a journalled row that has links, so that they are found without reading every row. */
export const LINKS_FLAG = 0x8000_0000;
