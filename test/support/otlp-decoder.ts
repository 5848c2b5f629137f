import { createFileRegistry, fromBinary, fromJson, type JsonObject, toJson } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/**
 * Decodes an OTLP protobuf trace request with @bufbuild/protobuf: a second opinion on our own encoders and decoders.
 *
 * Takes  bytes: an ExportTraceServiceRequest; fields that simulations do not use are dropped.
 * Gives  its OTLP/JSON form: ids in hexadecimal, 64-bit integers as strings, zero and empty plain fields absent.
 */
export function decodeTraceRequest(bytes: Uint8Array): unknown {
  const json = JSON.stringify(toJson(requestType, fromBinary(requestType, bytes), { registry }));
  const isId = (key: string) => /^(trace|span|parentSpan)Id$/.test(key);
  return JSON.parse(json, (key, value) => (isId(key) ? Buffer.from(value, 'base64').toString('hex') : value));
}

type Field = [name: string, number: number, type: string, of?: string];

/** The messages of opentelemetry-proto v1 that are used, as its .proto files number them. */
const messages: Record<string, Field[]> = {
  ExportTraceServiceRequest: [['resource_spans', 1, 'MANY', 'ResourceSpans']],
  ResourceSpans: [
    ['resource', 1, 'ONE', 'Resource'],
    ['scope_spans', 2, 'MANY', 'ScopeSpans'],
  ],
  Resource: [['attributes', 1, 'MANY', 'KeyValue']],
  ScopeSpans: [
    ['scope', 1, 'ONE', 'InstrumentationScope'],
    ['spans', 2, 'MANY', 'Span'],
  ],
  InstrumentationScope: [['name', 1, 'TYPE_STRING']],
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
    ['links', 13, 'MANY', 'Link'],
    ['status', 15, 'ONE', 'Status'],
  ],
  Link: [
    ['trace_id', 1, 'TYPE_BYTES'],
    ['span_id', 2, 'TYPE_BYTES'],
  ],
  Status: [['code', 3, 'TYPE_INT32']],
  KeyValue: [
    ['key', 1, 'TYPE_STRING'],
    ['value', 2, 'ONE', 'AnyValue'],
  ],
  AnyValue: [
    ['string_value', 1, 'TYPE_STRING'],
    ['int_value', 3, 'TYPE_INT64'],
  ],
};

const registry = createFileRegistry(
  fromJson(FileDescriptorSetSchema, {
    file: [
      {
        name: 'otlp.proto',
        package: 'otlp',
        syntax: 'proto3',
        messageType: Object.entries(messages).map(([name, fields]) => ({
          name,
          field: fields.map(fieldDescriptor),
          oneofDecl: name === 'AnyValue' ? [{ name: 'value' }] : [],
        })),
      },
    ],
  }),
);
const requestType = registry.getMessage('otlp.ExportTraceServiceRequest')!;

function fieldDescriptor([name, number, type, of]: Field): JsonObject {
  const jsonName = name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const label = type === 'MANY' ? 'LABEL_REPEATED' : 'LABEL_OPTIONAL';
  const field = { name, jsonName, number, label };
  if (of !== undefined) return { ...field, type: 'TYPE_MESSAGE', typeName: `.otlp.${of}` };
  return name.endsWith('_value') ? { ...field, type, oneofIndex: 0 } : { ...field, type };
}
