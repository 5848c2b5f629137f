import fc from 'fast-check';
import type { IsBoundary } from '../../src/collect/assemble.ts';
import { batchRows } from '../../src/collect/batch.ts';
import { decodeTracesJson } from '../../src/collect/otlp-traces-json.ts';
import { RecordReader, type SpanRecord } from '../../src/collect/span-record.ts';
import { VERSION_BYTES } from '../../src/collect/work-row.ts';
import { RowWriter } from '../../src/store/index.ts';

/** One span of a story that a test tells; numbers stand for ids, times are microseconds into the hour. */
export interface ToldSpan {
  readonly trace: number;
  readonly span: number;
  readonly parent?: number | undefined;
  readonly kind: number;
  readonly service: string;
  readonly from: number;
  readonly to: number;
  readonly tenant?: string | undefined;
  readonly resourceTenant?: string | undefined;
  readonly route?: string | undefined;
  readonly links?: readonly (readonly [trace: number, span: number])[] | undefined;
  /** Sampling threshold, as in `ot=th:c`. */
  readonly th?: string | undefined;
  readonly attributes?: Readonly<Record<string, string | number | boolean>> | undefined;
}

const HOUR_NS = BigInt(Date.UTC(2025, 0, 1, 10)) * 1_000_000n;

export const traceId = (trace: number) => trace.toString(16).padStart(32, '0');
export const spanId = (span: number) => span.toString(16).padStart(16, '0');

/** Puts told spans into one OTLP/JSON request, in their order. */
export function requestOf(spans: readonly ToldSpan[]): object {
  return { resourceSpans: spans.map(resourceSpansOf) };
}

function resourceSpansOf(told: ToldSpan): object {
  const resource = {
    'service.name': told.service,
    ...(told.resourceTenant ? { 'tenant.id': told.resourceTenant } : {}),
  };
  const own = {
    ...(told.tenant ? { 'tenant.id': told.tenant } : {}),
    ...(told.route ? { 'http.route': told.route, 'http.request.method': 'GET' } : {}),
    ...told.attributes,
  };
  const span = {
    traceId: traceId(told.trace),
    spanId: spanId(told.span),
    ...(told.parent === undefined ? {} : { parentSpanId: spanId(told.parent) }),
    ...(told.th === undefined ? {} : { traceState: `ot=th:${told.th}` }),
    name: `work ${told.service}`,
    kind: told.kind,
    startTimeUnixNano: String(HOUR_NS + BigInt(told.from) * 1_000n),
    endTimeUnixNano: String(HOUR_NS + BigInt(told.to) * 1_000n),
    attributes: attributesOf(own),
    links: (told.links ?? []).map(([trace, linked]) => ({ traceId: traceId(trace), spanId: spanId(linked) })),
  };
  return { resource: { attributes: attributesOf(resource) }, scopeSpans: [{ spans: [span] }] };
}

function attributesOf(values: Readonly<Record<string, string | number | boolean>>): object[] {
  return Object.entries(values).map(([key, value]) => {
    if (typeof value === 'string') return { key, value: { stringValue: value } };
    return { key, value: typeof value === 'boolean' ? { boolValue: value } : { intValue: String(value) } };
  });
}

/** What the journal keeps of told spans. */
export function payloadOf(spans: readonly ToldSpan[]): Buffer {
  const writer = new RowWriter(1024);
  const { accepted } = decodeTracesJson(Buffer.from(JSON.stringify(requestOf(spans))), Buffer.alloc(0), writer);
  if (accepted !== spans.length) throw new Error('a told span was refused');
  return writer.bytes();
}

/** Told spans as assembly gets them; each stands in the journal where it stands in the list. */
export function recordsOf(spans: readonly ToldSpan[], segment = 1): SpanRecord[] {
  const reader = new RecordReader(payloadOf(spans));
  return spans.map((_, position) => {
    reader.u32();
    return reader.sent(segment, position);
  });
}

/** What was decided about one span, readable; `call` is trace.span of its call, or null. */
export interface Decided {
  readonly trace: number;
  readonly span: number;
  readonly kind: number;
  readonly call: string | null;
  readonly isCall: boolean;
  readonly share: number;
  readonly tenant: string;
  readonly endpoint: string;
  readonly resolver: string;
  readonly busyUs: number;
  readonly dbUs: number;
  readonly extUs: number;
  readonly position: number;
}

export function decidedOf(body: Buffer): Decided {
  const reader = new RecordReader(body);
  const number = (latin1: string) => Number.parseInt(Buffer.from(latin1, 'latin1').toString('hex'), 16);
  const callTrace = number(reader.fixed(16));
  const callSpan = number(reader.fixed(8));
  const isCall = body[reader.at++] === 1;
  const share = reader.u64();
  const tenant = reader.text();
  const endpoint = reader.text();
  reader.skipText();
  const resolver = reader.text();
  const busyUs = reader.u64();
  reader.at += 1;
  const dbUs = reader.u64();
  reader.at += 1;
  const extUs = reader.u64();
  const { traceKey, spanKey, kind, position } = new RecordReader(body).body();
  return {
    trace: number(traceKey.slice(0, 16)),
    span: number(spanKey),
    kind,
    call: callTrace === 0 && callSpan === 0 ? null : `${callTrace}.${callSpan}`,
    isCall,
    share,
    tenant,
    endpoint,
    resolver,
    busyUs,
    dbUs,
    extUs,
    position,
  };
}

/** Rows in force, kept in memory as the store keeps them: what batches add and take away. */
export class RowsInForce {
  readonly #counts = new Map<string, number>();
  readonly #links: (readonly [source: string, target: string])[] = [];
  readonly #isBoundary: IsBoundary;
  #batch = 0;

  constructor(isBoundary: IsBoundary) {
    this.#isBoundary = isBoundary;
  }

  /** Applies one batch; gives how many rows it wrote. */
  apply(spans: readonly SpanRecord[]): number {
    const arrived = new Map<string, SpanRecord[]>();
    for (const span of spans) arrived.set(span.traceKey, [...(arrived.get(span.traceKey) ?? []), span]);
    for (const span of spans) for (const link of span.links) this.#links.push([span.traceKey, link.traceKey]);
    const input = {
      batch: ++this.#batch,
      receivedDay: 20_000,
      changed: this.#withDependents(arrived.keys()),
      arrived,
      stored: this.#byTrace(),
      linked: new Set(this.#links.map(([, target]) => target)),
      isBoundary: this.#isBoundary,
    };
    const result = batchRows(input);
    const reader = new RecordReader(result.bytes);
    while (!reader.isDone) {
      const sign = result.bytes.readInt8(reader.at + 8);
      const start = reader.at + VERSION_BYTES;
      reader.at = start;
      reader.body();
      const key = result.bytes.toString('latin1', start, reader.at);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + sign);
    }
    return result.rows;
  }

  /** The bodies of the rows in force, in one order. A body that is in force twice, or less than never, shows. */
  bodies(): Buffer[] {
    return [...this.#counts].flatMap(([key, count]) => {
      if (count < 0) throw new Error('a row was taken away that was not there');
      return Array.from({ length: count }, () => Buffer.from(key, 'latin1'));
    });
  }

  #byTrace(): Map<string, Buffer[]> {
    const byTrace = new Map<string, Buffer[]>();
    for (const body of this.bodies()) {
      const { traceKey } = new RecordReader(body).body();
      byTrace.set(traceKey, [...(byTrace.get(traceKey) ?? []), body]);
    }
    return byTrace;
  }

  #withDependents(keys: Iterable<string>): Set<string> {
    const changed = new Set(keys);
    for (let size = -1; size !== changed.size; ) {
      size = changed.size;
      for (const [source, target] of this.#links) if (changed.has(target)) changed.add(source);
    }
    return changed;
  }
}

/**
 * Random groups of traces over few ids, so that everything happens: lost parents, parents in a circle, client and server under
 * one id, links that lead round, the same span sent again with another time.
 */
export function toldSpans(shape: { readonly traces: number; readonly spans: number }): fc.Arbitrary<ToldSpan[]> {
  const trace = fc.integer({ min: 1, max: shape.traces });
  const span = fc.integer({ min: 1, max: 6 });
  const told = fc
    .record({
      trace,
      span,
      parent: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
      kind: fc.constantFrom(0, 1, 2, 2, 2, 3, 4, 5, 5),
      service: fc.constantFrom('front', 'back', 'queue'),
      from: fc.integer({ min: 0, max: 50 }),
      took: fc.integer({ min: -5, max: 60 }),
      tenant: fc.option(fc.constantFrom('acme', 'zoo'), { nil: undefined, freq: 3 }),
      resourceTenant: fc.option(fc.constantFrom('acme', 'zoo'), { nil: undefined, freq: 1 }),
      route: fc.option(fc.constantFrom('/a', '/b/{id}'), { nil: undefined }),
      links: fc.option(fc.array(fc.tuple(trace, span), { maxLength: 3 }), { nil: undefined, freq: 2 }),
      th: fc.option(fc.constantFrom('0', '8', 'c', 'aaab'), { nil: undefined }),
    })
    .map(({ took, ...rest }) => ({ ...rest, to: rest.from + took }));
  return fc.array(told, { minLength: 1, maxLength: shape.spans });
}
