/**
 * The columns of a SpanTable that a sender gives, and how the table `work` names and keeps them. This list is what the span
 * table, the journal's frames and the blocks for the engine are made from.
 */
const ID_16 = 'FixedString(16)';
const ID_8 = 'FixedString(8)';
const TIME = "DateTime64(9, 'UTC')";

/** Columns of numbers: their arrays, and how many elements one row has. In the order of the journal. */
export const plainColumns = [
  { field: 'trace', column: 'trace_id', type: ID_16, array: Uint32Array, stride: 4 },
  { field: 'span', column: 'span_id', type: ID_8, array: Uint32Array, stride: 2 },
  // Zero for no parent.
  { field: 'parent', column: 'parent_id', type: ID_8, array: Uint32Array, stride: 2 },
  // Nanoseconds since 1970.
  { field: 'start', column: 'start_at', type: TIME, array: Uint32Array, stride: 2 },
  { field: 'end', column: 'end_at', type: TIME, array: Uint32Array, stride: 2 },
  // Whole millionths.
  { field: 'weight', column: 'weight', type: 'UInt64', array: Uint32Array, stride: 2 },
  { field: 'status', column: 'status', type: 'UInt16', array: Uint16Array, stride: 1 },
  { field: 'origin', column: 'origin', type: 'UInt8', array: Uint8Array, stride: 1 },
  { field: 'kind', column: 'kind', type: 'UInt8', array: Uint8Array, stride: 1 },
  { field: 'isTimed', column: 'is_timed', type: 'UInt8', array: Uint8Array, stride: 1 },
  { field: 'isWeightKnown', column: 'is_weight_known', type: 'UInt8', array: Uint8Array, stride: 1 },
  { field: 'isDb', column: 'is_db', type: 'UInt8', array: Uint8Array, stride: 1 },
  { field: 'isError', column: 'is_error', type: 'UInt8', array: Uint8Array, stride: 1 },
] as const;

/** Columns of numbers of texts. */
export const textColumns = [
  { field: 'namespace', column: 'namespace' },
  { field: 'service', column: 'service' },
  { field: 'pod', column: 'pod' },
  { field: 'name', column: 'name' },
  { field: 'peer', column: 'peer' },
  { field: 'endpoint', column: 'own_endpoint' },
  { field: 'tenant', column: 'own_tenant' },
  { field: 'resolver', column: 'own_resolver' },
  { field: 'resourceTenant', column: 'resource_tenant' },
  { field: 'resourceResolver', column: 'resource_resolver' },
  { field: 'consumer', column: 'own_consumer' },
  { field: 'callKind', column: 'call_kind' },
  { field: 'region', column: 'region' },
  { field: 'version', column: 'version' },
  // Feature flags, as `key=variant`.
  { field: 'flags', column: 'flags' },
] as const;

type Plain = (typeof plainColumns)[number];

/** A SpanTable's arrays by name. */
export type TableColumns = {
  [Each in Plain as Each['field']]: InstanceType<Each['array']>;
} & { [Each in (typeof textColumns)[number] as Each['field']]: Uint32Array };
