import { fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import { type Field, protobufPackage } from './protobuf-package.ts';

/** The messages of opentelemetry-proto v1 that we read, with everything in them, as its .proto files number them. */
const messages: Record<string, readonly Field[]> = {
  ExportTraceServiceRequest: [['resource_spans', 1, 'ResourceSpans*']],
  ResourceSpans: [
    ['resource', 1, 'Resource'],
    ['scope_spans', 2, 'ScopeSpans*'],
    ['schema_url', 3, 'string'],
  ],
  Resource: [
    ['attributes', 1, 'KeyValue*'],
    ['dropped_attributes_count', 2, 'uint32'],
  ],
  ScopeSpans: [
    ['scope', 1, 'InstrumentationScope'],
    ['spans', 2, 'Span*'],
  ],
  InstrumentationScope: [
    ['name', 1, 'string'],
    ['version', 2, 'string'],
    ['attributes', 3, 'KeyValue*'],
  ],
  Span: [
    ['trace_id', 1, 'bytes'],
    ['span_id', 2, 'bytes'],
    ['trace_state', 3, 'string'],
    ['parent_span_id', 4, 'bytes'],
    ['name', 5, 'string'],
    ['kind', 6, 'int32'],
    ['start_time_unix_nano', 7, 'fixed64'],
    ['end_time_unix_nano', 8, 'fixed64'],
    ['attributes', 9, 'KeyValue*'],
    ['dropped_attributes_count', 10, 'uint32'],
    ['events', 11, 'Event*'],
    ['links', 13, 'Link*'],
    ['status', 15, 'Status'],
    ['flags', 16, 'fixed32'],
  ],
  Event: [
    ['time_unix_nano', 1, 'fixed64'],
    ['name', 2, 'string'],
    ['attributes', 3, 'KeyValue*'],
  ],
  Link: [
    ['trace_id', 1, 'bytes'],
    ['span_id', 2, 'bytes'],
    ['trace_state', 3, 'string'],
    ['attributes', 4, 'KeyValue*'],
  ],
  Status: [
    ['message', 2, 'string'],
    ['code', 3, 'int32'],
  ],
  KeyValue: [
    ['key', 1, 'string'],
    ['value', 2, 'AnyValue'],
  ],
  AnyValue: [
    ['string_value', 1, 'string', 'value'],
    ['bool_value', 2, 'bool', 'value'],
    ['int_value', 3, 'int64', 'value'],
    ['double_value', 4, 'double', 'value'],
    ['array_value', 5, 'ArrayValue', 'value'],
    ['kvlist_value', 6, 'KeyValueList', 'value'],
    ['bytes_value', 7, 'bytes', 'value'],
  ],
  ArrayValue: [['values', 1, 'AnyValue*']],
  KeyValueList: [['values', 1, 'KeyValue*']],
  ExportMetricsServiceRequest: [['resource_metrics', 1, 'ResourceMetrics*']],
  ResourceMetrics: [
    ['resource', 1, 'Resource'],
    ['scope_metrics', 2, 'ScopeMetrics*'],
  ],
  ScopeMetrics: [
    ['scope', 1, 'InstrumentationScope'],
    ['metrics', 2, 'Metric*'],
  ],
  Metric: [
    ['name', 1, 'string'],
    ['description', 2, 'string'],
    ['unit', 3, 'string'],
    ['gauge', 5, 'Gauge', 'data'],
    ['sum', 7, 'Sum', 'data'],
    ['histogram', 9, 'Histogram', 'data'],
    ['exponential_histogram', 10, 'ExponentialHistogram', 'data'],
    ['summary', 11, 'Summary', 'data'],
  ],
  Gauge: [['data_points', 1, 'NumberDataPoint*']],
  Sum: [
    ['data_points', 1, 'NumberDataPoint*'],
    ['aggregation_temporality', 2, 'int32'],
    ['is_monotonic', 3, 'bool'],
  ],
  Histogram: [
    ['data_points', 1, 'HistogramDataPoint*'],
    ['aggregation_temporality', 2, 'int32'],
  ],
  ExponentialHistogram: [
    ['data_points', 1, 'ExponentialHistogramDataPoint*'],
    ['aggregation_temporality', 2, 'int32'],
  ],
  Summary: [['data_points', 1, 'SummaryDataPoint*']],
  NumberDataPoint: [
    ['start_time_unix_nano', 2, 'fixed64'],
    ['time_unix_nano', 3, 'fixed64'],
    ['as_double', 4, 'double', 'value'],
    ['as_int', 6, 'sfixed64', 'value'],
    ['attributes', 7, 'KeyValue*'],
    ['flags', 8, 'uint32'],
  ],
  HistogramDataPoint: [
    ['start_time_unix_nano', 2, 'fixed64'],
    ['time_unix_nano', 3, 'fixed64'],
    ['count', 4, 'fixed64'],
    ['sum', 5, 'double', '_sum'],
    ['bucket_counts', 6, 'fixed64*'],
    ['explicit_bounds', 7, 'double*'],
    ['attributes', 9, 'KeyValue*'],
    ['flags', 10, 'uint32'],
  ],
  ExponentialHistogramDataPoint: [
    ['attributes', 1, 'KeyValue*'],
    ['start_time_unix_nano', 2, 'fixed64'],
    ['time_unix_nano', 3, 'fixed64'],
    ['count', 4, 'fixed64'],
    ['sum', 5, 'double', '_sum'],
    ['scale', 6, 'sint32'],
    ['zero_count', 7, 'fixed64'],
    ['positive', 8, 'Buckets'],
    ['flags', 10, 'uint32'],
  ],
  Buckets: [
    ['offset', 1, 'sint32'],
    ['bucket_counts', 2, 'uint64*'],
  ],
  SummaryDataPoint: [
    ['time_unix_nano', 3, 'fixed64'],
    ['count', 4, 'fixed64'],
    ['sum', 5, 'double'],
    ['attributes', 7, 'KeyValue*'],
  ],
  ExportLogsServiceRequest: [['resource_logs', 1, 'ResourceLogs*']],
  ResourceLogs: [
    ['resource', 1, 'Resource'],
    ['scope_logs', 2, 'ScopeLogs*'],
    ['schema_url', 3, 'string'],
  ],
  ScopeLogs: [
    ['scope', 1, 'InstrumentationScope'],
    ['log_records', 2, 'LogRecord*'],
    ['schema_url', 3, 'string'],
  ],
  LogRecord: [
    ['time_unix_nano', 1, 'fixed64'],
    ['severity_number', 2, 'int32'],
    ['severity_text', 3, 'string'],
    ['body', 5, 'AnyValue'],
    ['attributes', 6, 'KeyValue*'],
    ['dropped_attributes_count', 7, 'uint32'],
    ['flags', 8, 'fixed32'],
    ['trace_id', 9, 'bytes'],
    ['span_id', 10, 'bytes'],
    ['observed_time_unix_nano', 11, 'fixed64'],
    ['event_name', 12, 'string'],
  ],
};

const { registry, typeOf: typeNamed } = protobufPackage('otlp.whole', messages);

export type OtlpMessage = 'ExportTraceServiceRequest' | 'ExportMetricsServiceRequest' | 'ExportLogsServiceRequest';
const typeOf = (message: OtlpMessage) => typeNamed(message);
const isId = (key: string) => /^(trace|span|parentSpan)Id$/.test(key);

/** Encodes an OTLP/JSON request (ids in hexadecimal) as protobuf, by @bufbuild/protobuf. */
export function protobufFromJson(message: OtlpMessage, json: object): Buffer {
  const inBase64 = JSON.parse(JSON.stringify(json), (key, value) =>
    isId(key) ? Buffer.from(value, 'hex').toString('base64') : value,
  ) as JsonValue;
  return Buffer.from(
    toBinary(typeOf(message), fromJson(typeOf(message), inBase64, { registry, ignoreUnknownFields: true })),
  );
}

/** Decodes a protobuf request into messages of @bufbuild/protobuf and no further. */
export function decodedByLibrary(message: OtlpMessage, bytes: Uint8Array): object {
  return fromBinary(typeOf(message), bytes);
}

/** Decodes a protobuf request and encodes it again, by @bufbuild/protobuf; null when it cannot be decoded. */
export function encodedAgain(message: OtlpMessage, bytes: Uint8Array): Buffer | null {
  try {
    return Buffer.from(toBinary(typeOf(message), fromBinary(typeOf(message), bytes), { writeUnknownFields: false }));
  } catch {
    return null;
  }
}

/** Decodes a protobuf request into OTLP/JSON, by @bufbuild/protobuf. */
export function jsonFromProtobuf(message: OtlpMessage, bytes: Uint8Array): object {
  const json = JSON.stringify(toJson(typeOf(message), fromBinary(typeOf(message), bytes), { registry }));
  return JSON.parse(json, (key, value) => (isId(key) ? Buffer.from(value, 'base64').toString('hex') : value)) as object;
}
