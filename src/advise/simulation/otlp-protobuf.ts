import type { KeyValue, OtlpSpan, TraceRequest } from './otlp.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

/** Field numbers of opentelemetry-proto v1 (collector/trace, trace, resource, common). */
const REQUEST = { resourceSpans: 1 } as const;
const RESOURCE_SPANS = { resource: 1, scopeSpans: 2 } as const;
const RESOURCE = { attributes: 1 } as const;
const SCOPE_SPANS = { scope: 1, spans: 2 } as const;
const SCOPE = { name: 1 } as const;
const SPAN = {
  ...{ traceId: 1, spanId: 2, traceState: 3, parentSpanId: 4, name: 5, kind: 6 },
  ...{ startTimeUnixNano: 7, endTimeUnixNano: 8, attributes: 9, links: 13, status: 15 },
} as const;
const LINK = { traceId: 1, spanId: 2 } as const;
const STATUS = { code: 3 } as const;
const KEY_VALUE = { key: 1, value: 2 } as const;
const ANY_VALUE = { stringValue: 1, intValue: 3 } as const;

/** Where in an encoded request the bytes stand that tell one trace from another: starts of ids and of times. */
export interface IdentityMarks {
  readonly traceIds: number[];
  readonly times: number[];
}

/**
 * Encodes a trace request as OTLP protobuf.
 *
 * Holds  means the same as JSON.stringify(request).
 */
export function encodeTraceRequest(request: TraceRequest): Buffer {
  return encodeWithMarks(request).bytes;
}

/** Encodes a trace request and says where its trace ids and times are, so that it can be sent again as other traces. */
export function encodeWithMarks(request: TraceRequest): { bytes: Buffer; marks: IdentityMarks } {
  const encoder = new Encoder();
  for (const { resource, scopeSpans } of request.resourceSpans.toReversed()) {
    encoder.writer.message(REQUEST.resourceSpans, () => {
      for (const { scope, spans } of scopeSpans.toReversed()) encoder.scopeSpans(scope.name, spans);
      encoder.writer.message(RESOURCE_SPANS.resource, () =>
        encoder.attributes(RESOURCE.attributes, resource.attributes),
      );
    });
  }
  return encoder.finish();
}

class Encoder {
  readonly writer = new ProtobufWriter();
  readonly #traceIdEnds: number[] = [];
  readonly #timeEnds: number[] = [];

  /** The writer counts from the end; once the whole length is known, so are the positions from the start. */
  finish(): { bytes: Buffer; marks: IdentityMarks } {
    const bytes = this.writer.finish();
    const fromStart = (fromEnd: number) => bytes.length - fromEnd;
    return { bytes, marks: { traceIds: this.#traceIdEnds.map(fromStart), times: this.#timeEnds.map(fromStart) } };
  }

  scopeSpans(scopeName: string, spans: readonly OtlpSpan[]): void {
    this.writer.message(RESOURCE_SPANS.scopeSpans, () => {
      for (const span of spans.toReversed()) this.writer.message(SCOPE_SPANS.spans, () => this.#span(span));
      this.writer.message(SCOPE_SPANS.scope, () => this.writer.text(SCOPE.name, scopeName));
    });
  }

  attributes(field: number, attributes: readonly KeyValue[]): void {
    for (const { key, value } of attributes.toReversed()) {
      this.writer.message(field, () => {
        this.writer.message(KEY_VALUE.value, () => {
          if ('stringValue' in value) this.writer.text(ANY_VALUE.stringValue, value.stringValue);
          else this.writer.uint(ANY_VALUE.intValue, Number(value.intValue));
        });
        this.writer.text(KEY_VALUE.key, key);
      });
    }
  }

  #span(span: OtlpSpan): void {
    const { writer } = this;
    const { code } = span.status;
    writer.message(SPAN.status, () => (code === undefined ? undefined : writer.uint(STATUS.code, code)));
    for (const link of span.links?.toReversed() ?? []) {
      writer.message(SPAN.links, () => {
        writer.hex(LINK.spanId, link.spanId);
        this.#traceId(LINK.traceId, link.traceId);
      });
    }
    this.attributes(SPAN.attributes, span.attributes);
    this.#time(SPAN.endTimeUnixNano, span.endTimeUnixNano);
    this.#time(SPAN.startTimeUnixNano, span.startTimeUnixNano);
    writer.uint(SPAN.kind, span.kind);
    writer.text(SPAN.name, span.name);
    if (span.parentSpanId !== undefined) writer.hex(SPAN.parentSpanId, span.parentSpanId);
    if (span.traceState !== undefined) writer.text(SPAN.traceState, span.traceState);
    writer.hex(SPAN.spanId, span.spanId);
    this.#traceId(SPAN.traceId, span.traceId);
  }

  /** One byte of length and one of tag come before the sixteen of the id. */
  #traceId(field: number, traceId: string): void {
    this.writer.hex(field, traceId);
    this.#traceIdEnds.push(this.writer.length - 2);
  }

  #time(field: number, nanos: string): void {
    this.writer.fixed64(field, BigInt(nanos));
    this.#timeEnds.push(this.writer.length - 1);
  }
}
