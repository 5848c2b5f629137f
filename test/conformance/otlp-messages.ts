import {
  createFileRegistry,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

type Field = readonly [name: string, number: number, type: string, of?: string, oneof?: string];

/** The messages of opentelemetry-proto v1 that we read, with everything in them, as its .proto files number them. */
const messages: Record<string, readonly Field[]> = {
  ExportTraceServiceRequest: [['resource_spans', 1, 'MANY', 'ResourceSpans']],
  ResourceSpans: [
    ['resource', 1, 'ONE', 'Resource'],
    ['scope_spans', 2, 'MANY', 'ScopeSpans'],
    ['schema_url', 3, 'TYPE_STRING'],
  ],
  Resource: [
    ['attributes', 1, 'MANY', 'KeyValue'],
    ['dropped_attributes_count', 2, 'TYPE_UINT32'],
  ],
  ScopeSpans: [
    ['scope', 1, 'ONE', 'InstrumentationScope'],
    ['spans', 2, 'MANY', 'Span'],
  ],
  InstrumentationScope: [
    ['name', 1, 'TYPE_STRING'],
    ['version', 2, 'TYPE_STRING'],
    ['attributes', 3, 'MANY', 'KeyValue'],
  ],
  Span: [
    ['trace_id', 1, 'TYPE_BYTES'],
    ['span_id', 2, 'TYPE_BYTES'],
    ['trace_state', 3, 'TYPE_STRING'],
    ['parent_span_id', 4, 'TYPE_BYTES'],
    ['name', 5, 'TYPE_STRING'],
    ['kind', 6, 'TYPE_INT32'],
    ['start_time_unix_nano', 7, 'TYPE_FIXED64'],
    ['end_time_unix_nano', 8, 'TYPE_FIXED64'],
    ['attributes', 9, 'MANY', 'KeyValue'],
    ['dropped_attributes_count', 10, 'TYPE_UINT32'],
    ['events', 11, 'MANY', 'Event'],
    ['links', 13, 'MANY', 'Link'],
    ['status', 15, 'ONE', 'Status'],
    ['flags', 16, 'TYPE_FIXED32'],
  ],
  Event: [
    ['time_unix_nano', 1, 'TYPE_FIXED64'],
    ['name', 2, 'TYPE_STRING'],
    ['attributes', 3, 'MANY', 'KeyValue'],
  ],
  Link: [
    ['trace_id', 1, 'TYPE_BYTES'],
    ['span_id', 2, 'TYPE_BYTES'],
    ['trace_state', 3, 'TYPE_STRING'],
    ['attributes', 4, 'MANY', 'KeyValue'],
  ],
  Status: [
    ['message', 2, 'TYPE_STRING'],
    ['code', 3, 'TYPE_INT32'],
  ],
  KeyValue: [
    ['key', 1, 'TYPE_STRING'],
    ['value', 2, 'ONE', 'AnyValue'],
  ],
  AnyValue: [
    ['string_value', 1, 'TYPE_STRING', undefined, 'value'],
    ['bool_value', 2, 'TYPE_BOOL', undefined, 'value'],
    ['int_value', 3, 'TYPE_INT64', undefined, 'value'],
    ['double_value', 4, 'TYPE_DOUBLE', undefined, 'value'],
    ['array_value', 5, 'ONE', 'ArrayValue', 'value'],
    ['kvlist_value', 6, 'ONE', 'KeyValueList', 'value'],
    ['bytes_value', 7, 'TYPE_BYTES', undefined, 'value'],
  ],
  ArrayValue: [['values', 1, 'MANY', 'AnyValue']],
  KeyValueList: [['values', 1, 'MANY', 'KeyValue']],
  ExportMetricsServiceRequest: [['resource_metrics', 1, 'MANY', 'ResourceMetrics']],
  ResourceMetrics: [
    ['resource', 1, 'ONE', 'Resource'],
    ['scope_metrics', 2, 'MANY', 'ScopeMetrics'],
  ],
  ScopeMetrics: [
    ['scope', 1, 'ONE', 'InstrumentationScope'],
    ['metrics', 2, 'MANY', 'Metric'],
  ],
  Metric: [
    ['name', 1, 'TYPE_STRING'],
    ['description', 2, 'TYPE_STRING'],
    ['unit', 3, 'TYPE_STRING'],
    ['gauge', 5, 'ONE', 'Gauge', 'data'],
    ['sum', 7, 'ONE', 'Sum', 'data'],
    ['histogram', 9, 'ONE', 'Histogram', 'data'],
    ['exponential_histogram', 10, 'ONE', 'ExponentialHistogram', 'data'],
    ['summary', 11, 'ONE', 'Summary', 'data'],
  ],
  Gauge: [['data_points', 1, 'MANY', 'NumberDataPoint']],
  Sum: [
    ['data_points', 1, 'MANY', 'NumberDataPoint'],
    ['aggregation_temporality', 2, 'TYPE_INT32'],
    ['is_monotonic', 3, 'TYPE_BOOL'],
  ],
  Histogram: [
    ['data_points', 1, 'MANY', 'HistogramDataPoint'],
    ['aggregation_temporality', 2, 'TYPE_INT32'],
  ],
  ExponentialHistogram: [
    ['data_points', 1, 'MANY', 'ExponentialHistogramDataPoint'],
    ['aggregation_temporality', 2, 'TYPE_INT32'],
  ],
  Summary: [['data_points', 1, 'MANY', 'SummaryDataPoint']],
  NumberDataPoint: [
    ['start_time_unix_nano', 2, 'TYPE_FIXED64'],
    ['time_unix_nano', 3, 'TYPE_FIXED64'],
    ['as_double', 4, 'TYPE_DOUBLE', undefined, 'value'],
    ['as_int', 6, 'TYPE_SFIXED64', undefined, 'value'],
    ['attributes', 7, 'MANY', 'KeyValue'],
    ['flags', 8, 'TYPE_UINT32'],
  ],
  HistogramDataPoint: [
    ['start_time_unix_nano', 2, 'TYPE_FIXED64'],
    ['time_unix_nano', 3, 'TYPE_FIXED64'],
    ['count', 4, 'TYPE_FIXED64'],
    ['sum', 5, 'TYPE_DOUBLE', undefined, '_sum'],
    ['bucket_counts', 6, 'PACKED', 'TYPE_FIXED64'],
    ['explicit_bounds', 7, 'PACKED', 'TYPE_DOUBLE'],
    ['attributes', 9, 'MANY', 'KeyValue'],
    ['flags', 10, 'TYPE_UINT32'],
  ],
  ExponentialHistogramDataPoint: [
    ['attributes', 1, 'MANY', 'KeyValue'],
    ['start_time_unix_nano', 2, 'TYPE_FIXED64'],
    ['time_unix_nano', 3, 'TYPE_FIXED64'],
    ['count', 4, 'TYPE_FIXED64'],
    ['sum', 5, 'TYPE_DOUBLE', undefined, '_sum'],
    ['scale', 6, 'TYPE_SINT32'],
    ['zero_count', 7, 'TYPE_FIXED64'],
    ['positive', 8, 'ONE', 'Buckets'],
    ['flags', 10, 'TYPE_UINT32'],
  ],
  Buckets: [
    ['offset', 1, 'TYPE_SINT32'],
    ['bucket_counts', 2, 'PACKED', 'TYPE_UINT64'],
  ],
  SummaryDataPoint: [
    ['time_unix_nano', 3, 'TYPE_FIXED64'],
    ['count', 4, 'TYPE_FIXED64'],
    ['sum', 5, 'TYPE_DOUBLE'],
    ['attributes', 7, 'MANY', 'KeyValue'],
  ],
  ExportLogsServiceRequest: [['resource_logs', 1, 'MANY', 'ResourceLogs']],
  ResourceLogs: [
    ['resource', 1, 'ONE', 'Resource'],
    ['scope_logs', 2, 'MANY', 'ScopeLogs'],
    ['schema_url', 3, 'TYPE_STRING'],
  ],
  ScopeLogs: [
    ['scope', 1, 'ONE', 'InstrumentationScope'],
    ['log_records', 2, 'MANY', 'LogRecord'],
    ['schema_url', 3, 'TYPE_STRING'],
  ],
  LogRecord: [
    ['time_unix_nano', 1, 'TYPE_FIXED64'],
    ['severity_number', 2, 'TYPE_INT32'],
    ['severity_text', 3, 'TYPE_STRING'],
    ['body', 5, 'ONE', 'AnyValue'],
    ['attributes', 6, 'MANY', 'KeyValue'],
    ['dropped_attributes_count', 7, 'TYPE_UINT32'],
    ['flags', 8, 'TYPE_FIXED32'],
    ['trace_id', 9, 'TYPE_BYTES'],
    ['span_id', 10, 'TYPE_BYTES'],
    ['observed_time_unix_nano', 11, 'TYPE_FIXED64'],
    ['event_name', 12, 'TYPE_STRING'],
  ],
};

const registry = createFileRegistry(
  fromJson(FileDescriptorSetSchema, {
    file: [
      {
        name: 'otlp-whole.proto',
        package: 'otlp.whole',
        syntax: 'proto3',
        messageType: Object.entries(messages).map(([name, fields]) => {
          const oneofs = [...new Set(fields.flatMap((field) => field[4] ?? []))];
          return {
            name,
            field: fields.map((field) => fieldDescriptor(field, oneofs)),
            oneofDecl: oneofs.map((oneof) => ({ name: oneof })),
          };
        }),
      },
    ],
  }),
);

function fieldDescriptor([name, number, type, of, oneof]: Field, oneofs: readonly string[]): JsonObject {
  const jsonName = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const label = type === 'MANY' || type === 'PACKED' ? 'LABEL_REPEATED' : 'LABEL_OPTIONAL';
  const plain = type === 'PACKED' ? of : of === undefined ? type : undefined;
  const typed: JsonObject = plain ? { type: plain } : { type: 'TYPE_MESSAGE', typeName: `.otlp.whole.${of}` };
  return {
    name,
    jsonName,
    number,
    label,
    ...typed,
    ...(oneof === undefined ? {} : { oneofIndex: oneofs.indexOf(oneof) }),
    ...(oneof === `_${name}` ? { proto3Optional: true } : {}),
  };
}

export type OtlpMessage = 'ExportTraceServiceRequest' | 'ExportMetricsServiceRequest' | 'ExportLogsServiceRequest';
const typeOf = (message: OtlpMessage) => registry.getMessage(`otlp.whole.${message}`)!;
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
