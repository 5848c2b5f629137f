import { fixed64, message, number, PADDED_NUMBER, tag, text, varint } from './proto.ts';

/** What is the same in many spans. Absent numbers are left out: unknown is not 0. */
export interface SpanShape {
  readonly kind: 'server' | 'client';
  readonly name: string;
  readonly texts: readonly (readonly [key: string, value: string])[];
  readonly numbers: readonly string[];
  readonly hasParent: boolean;
  readonly isError: boolean;
}

/** A span in protobuf, whole but for ids, times and numbers. */
export interface SpanTemplate {
  readonly bytes: Buffer;
  readonly traceAt: number;
  readonly spanAt: number;
  /** Only where the shape has a parent. */
  readonly parentAt: number;
  readonly startAt: number;
  readonly endAt: number;
  /** In the order of the shape's numbers; each PADDED_NUMBER bytes. */
  readonly numbersAt: readonly number[];
}

const kinds = { server: 2, client: 3 };
const field = { traceId: 1, spanId: 2, parent: 4, name: 5, kind: 6, start: 7, end: 8, attribute: 9, status: 15 };
const STATUS_ERROR = number(3, 2);

/**
 * Puts a span together as a field of ScopeSpans.
 *
 * From  opentelemetry-proto, trace.proto and common.proto.
 */
export function spanTemplate(shape: SpanShape): SpanTemplate {
  const bytes: number[] = [];
  const id = (number: number, length: number): number => {
    bytes.push(...message(number, Array<number>(length).fill(0)));
    return bytes.length - length;
  };
  const time = (number: number): number => {
    bytes.push(...fixed64(number));
    return bytes.length - 8;
  };
  const traceAt = id(field.traceId, 16);
  const spanAt = id(field.spanId, 8);
  const parentAt = shape.hasParent ? id(field.parent, 8) : -1;
  bytes.push(...text(field.name, shape.name), ...number(field.kind, kinds[shape.kind]));
  const startAt = time(field.start);
  const endAt = time(field.end);
  for (const [key, value] of shape.texts) bytes.push(...textAttribute(field.attribute, key, value));
  const numbersAt = shape.numbers.map((key) => {
    bytes.push(...numberAttribute(key));
    return bytes.length - PADDED_NUMBER;
  });
  if (shape.isError) bytes.push(...message(field.status, STATUS_ERROR));
  const head = [...tag(2, 2), ...varint(bytes.length)];
  const behind = (at: number) => at + head.length;
  return {
    bytes: Buffer.from([...head, ...bytes]),
    traceAt: behind(traceAt),
    spanAt: behind(spanAt),
    parentAt: behind(parentAt),
    startAt: behind(startAt),
    endAt: behind(endAt),
    numbersAt: numbersAt.map(behind),
  };
}

/** A KeyValue with a string_value. */
export function textAttribute(at: number, key: string, value: string): number[] {
  return message(at, [...text(1, key), ...message(2, text(1, value))]);
}

/** A KeyValue with an int_value, whose number comes last. */
function numberAttribute(key: string): number[] {
  const value = [...tag(3, 0), ...Array<number>(PADDED_NUMBER).fill(0)];
  return message(field.attribute, [...text(1, key), ...message(2, value)]);
}
