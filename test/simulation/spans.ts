import fc from 'fast-check';
import { decideBatch } from '../../src/collect/calls/batch.ts';
import { type CallRules, everyCall } from '../../src/collect/calls/call-rules.ts';
import type { IsBoundary } from '../../src/collect/calls/forest.ts';
import { copyVersion, versionOf } from '../../src/collect/calls/kept-work.ts';
import { appendBody } from '../../src/collect/calls/stored-rows.ts';
import { TraceIndex } from '../../src/collect/calls/trace-index.ts';
import type { StoredVersion } from '../../src/collect/calls/versions.ts';
import { SpanIntake } from '../../src/collect/otlp/span-intake.ts';
import { decodeTracesJson } from '../../src/collect/otlp/traces-json.ts';
import { plainColumns, textColumns } from '../../src/collect/table/columns.ts';
import { appendFrame } from '../../src/collect/table/frame.ts';
import { SpanTable } from '../../src/collect/table/span-table.ts';

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
  /** The id of the request, kept of roots and of what was served. */
  readonly request?: string | undefined;
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
    ...(told.request ? { 'request.id': told.request } : {}),
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
  const intake = new SpanIntake();
  intake.begin(Buffer.alloc(0));
  const { accepted } = decodeTracesJson(Buffer.from(JSON.stringify(requestOf(spans))), intake);
  if (accepted !== spans.length) throw new Error('a told span was refused');
  return intake.payload();
}

/** A told span as the journal has it: in which segment, at which place. */
export interface Journalled {
  readonly told: ToldSpan;
  readonly segment: number;
  readonly position: number;
}

/** Told spans with their places in the journal: where they stand in the list. */
export function journalledSpans(spans: readonly ToldSpan[], segment = 1): Journalled[] {
  return spans.map((told, position) => ({ told, segment, position }));
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
  readonly repeatsTokens: number;
  readonly isRetry: number;
  readonly position: number;
}

/** What a stored row says. Takes  body: as the store gives it. */
export function decidedOf(body: Buffer): Decided {
  const table = new SpanTable(1);
  return decidedIn(table, appendBody(table, body));
}

function decidedIn(table: SpanTable, version: StoredVersion): Decided {
  const { row, call } = version;
  const number = (words: Uint32Array) => Number.parseInt(hexOf(words), 16);
  return {
    trace: number(table.trace.subarray(row * 4, row * 4 + 4)),
    span: number(table.span.subarray(row * 2, row * 2 + 2)),
    kind: table.kind[row]!,
    call: call.every((word) => word === 0) ? null : `${number(call.subarray(0, 4))}.${number(call.subarray(4))}`,
    isCall: version.isCall === 1,
    share: version.share,
    tenant: table.texts.string(version.tenant),
    endpoint: table.texts.string(version.endpoint),
    resolver: table.texts.string(version.resolver),
    busyUs: version.busyUs,
    dbUs: version.dbUs,
    extUs: version.extUs,
    repeatsTokens: version.repeatsTokens,
    isRetry: version.isRetry,
    position: table.position[row]!,
  };
}

function hexOf(words: Uint32Array): string {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength).toString('hex');
}

/** A row in force, in a table of its own. */
interface InForce {
  readonly table: SpanTable;
  readonly version: StoredVersion;
}

/** Rows in force, kept in memory as the store keeps them: what batches add and take away. */
export class RowsInForce {
  #rows: InForce[] = [];
  readonly #links: (readonly [source: string, target: string])[] = [];
  /** Traces that name a request. */
  readonly #naming: (readonly [trace: string, request: string])[] = [];
  readonly #isBoundary: IsBoundary;
  readonly #rules: CallRules;

  constructor(isBoundary: IsBoundary, rules = everyCall()) {
    this.#isBoundary = isBoundary;
    this.#rules = rules;
  }

  /** Applies one batch; gives how many rows it wrote. */
  apply(spans: readonly Journalled[]): number {
    const table = new SpanTable();
    for (const { told, segment, position } of spans) appendFrame(table, payloadOf([told]), segment, position);
    const arrived = new Set(spans.map(({ told }) => traceId(told.trace)));
    for (const { told } of spans) {
      for (const [target] of told.links ?? []) this.#links.push([traceId(told.trace), traceId(target)]);
      if (told.request) this.#naming.push([traceId(told.trace), told.request]);
    }
    const changed = this.#withDependents(arrived);
    const near = new Set([...changed, ...this.#withTargets(changed)]);
    const origins = new Map<StoredVersion, InForce>();
    for (const row of this.#rows) {
      if (near.has(traceOf(row))) origins.set(copyVersion(row.table, row.version, table), row);
    }
    const index = new TraceIndex(table);
    const isChanged = (row: number) => changed.has(hexOf(table.trace.subarray(row * 4, row * 4 + 4)));
    const traces = Array.from({ length: index.traces }, (_, trace) => trace);
    const { work, changes } = decideBatch({
      table,
      index,
      traces: traces.filter((trace) => isChanged(index.first[trace]!)),
      stored: [...origins.keys()].filter(({ row }) => isChanged(row)),
      known: [...origins.keys()],
      isBoundary: this.#isBoundary,
      rules: this.#rules,
    });
    const gone = new Set(changes.outdated.map((version) => origins.get(version)));
    this.#rows = this.#rows.filter((row) => !gone.has(row));
    for (const entry of changes.added) {
      const own = new SpanTable(1);
      this.#rows.push({ table: own, version: copyVersion(table, versionOf(work, entry), own) });
    }
    return changes.added.length + changes.outdated.length;
  }

  /** What the rows in force say. */
  decided(): Decided[] {
    return this.#rows.map(({ table, version }) => decidedIn(table, version));
  }

  /** Everything about the rows in force, in one order. */
  exact(): string[] {
    return this.#rows
      .map(({ table, version }) => {
        const columns = [...plainColumns.map(({ field }) => table[field]), table.segment, ...table.measures];
        const texts = textColumns.map(({ field }) => table.texts.string(table[field][0]!));
        const consumer = table.texts.string(version.consumer);
        return JSON.stringify([decidedIn(table, version), consumer, columns, texts, [...table.links.values()]]);
      })
      .sort();
  }

  #withDependents(keys: Iterable<string>): Set<string> {
    const changed = new Set(keys);
    for (let size = -1; size !== changed.size; ) {
      size = changed.size;
      for (const [source, target] of this.#links) if (changed.has(target)) changed.add(source);
      this.#addNaming(changed);
    }
    return changed;
  }

  #addNaming(traces: Set<string>): void {
    const requests = new Set(this.#naming.flatMap(([trace, request]) => (traces.has(trace) ? [request] : [])));
    for (const [trace, request] of this.#naming) if (requests.has(request)) traces.add(trace);
  }

  #withTargets(keys: ReadonlySet<string>): Set<string> {
    const near = new Set(keys);
    for (let size = -1; size !== near.size; ) {
      size = near.size;
      for (const [source, target] of this.#links) if (near.has(source)) near.add(target);
      this.#addNaming(near);
    }
    return near;
  }
}

function traceOf({ table }: InForce): string {
  return hexOf(table.trace.subarray(0, 4));
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
      request: fc.option(fc.constantFrom('request-a', 'request-b'), { nil: undefined, freq: 1 }),
      th: fc.option(fc.constantFrom('0', '8', 'c', 'aaab'), { nil: undefined }),
    })
    .map(({ took, ...rest }) => ({ ...rest, to: rest.from + took }));
  return fc.array(told, { minLength: 1, maxLength: shape.spans });
}
