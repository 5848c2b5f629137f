import { byteOrder, grouped, largestRemainder, nearest } from './numbers.ts';

/** DESIGN 5 and 6.2, 6.3: from OTLP/JSON lines to work, written from the text alone. */

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

interface SentSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  traceState?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes?: Attribute[];
  links?: { traceId: string; spanId: string }[];
}

const [SERVER, CLIENT, CONSUMER] = [2, 3, 5];
const TENANT_KEYS = ['taximeter.tenant', 'tenant.id', 'tenant_id', 'customer.id', 'account.id', 'organization.id'];

class Span {
  readonly sent: SentSpan;
  readonly resource: ReadonlyMap<string, string>;
  readonly own: ReadonlyMap<string, string>;
  readonly start: bigint;
  readonly end: bigint;
  readonly children: Span[] = [];
  parent: Span | undefined;

  constructor(sent: SentSpan, resource: ReadonlyMap<string, string>) {
    this.sent = sent;
    this.resource = resource;
    this.own = attributesOf(sent.attributes);
    this.start = BigInt(sent.startTimeUnixNano);
    this.end = BigInt(sent.endTimeUnixNano);
  }

  get service(): string {
    return this.resource.get('service.name') ?? '';
  }

  get place(): string {
    return `${this.sent.traceId}/${this.sent.spanId}`;
  }

  /** A CONSUMER span with links and no parent span id is no call. */
  get isLinked(): boolean {
    return this.sent.kind === CONSUMER && (this.sent.links ?? []).length > 0 && !this.sent.parentSpanId;
  }

  /** This span, its parent, and so on to the top. */
  get upwards(): Span[] {
    return this.parent ? [this, ...this.parent.upwards] : [this];
  }
}

function attributesOf(attributes: readonly Attribute[] = []): Map<string, string> {
  return new Map(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}

/** One taker's part of one span's work; no call: unattributed. */
export interface WorkRow {
  readonly tenant: string;
  readonly endpoint: string;
  readonly isAttributed: boolean;
  readonly service: string;
  readonly startNs: bigint;
  readonly weightMicro: bigint;
  readonly quantities: Readonly<Record<string, bigint>>;
}

export interface AuditedWork {
  readonly rows: readonly WorkRow[];
  readonly spans: number;
  readonly traces: number;
  readonly calls: number;
  readonly podServices: ReadonlyMap<string, string>;
}

/** Reads spans in the order of the lines and finds whose work they are. */
export function auditWork(lines: readonly string[], boundary: ReadonlySet<string> | null): AuditedWork {
  const spans = readSpans(lines);
  const byPlace = new Map(spans.map((span) => [span.place, span]));
  for (const span of spans) {
    const { parentSpanId, traceId } = span.sent;
    span.parent = parentSpanId ? byPlace.get(`${traceId}/${parentSpanId}`) : undefined;
    span.parent?.children.push(span);
  }
  const isEntry = (span: Span) =>
    (span.sent.kind === SERVER || span.sent.kind === CONSUMER) && (boundary === null || boundary.has(span.service));
  const isCallRoot = (span: Span) => {
    const path = span.upwards;
    return isEntry(span) && !path.some((each) => each.isLinked) && !path.slice(1).some(isEntry);
  };
  const calls = new Set(spans.filter(isCallRoot));
  const callsByTrace = grouped([...calls], (call) => call.sent.traceId);
  const takersOf = (span: Span): (Span | null)[] => {
    const top = span.upwards.at(-1)!;
    if (top.isLinked) return linkTakers(top);
    const root = span.upwards.find((each) => calls.has(each));
    const inTrace = callsByTrace.get(span.sent.traceId) ?? [];
    return [root ?? (inTrace.length === 1 ? inTrace[0]! : null)];
  };
  const linkTakers = (consumer: Span): (Span | null)[] => {
    const links = (consumer.sent.links ?? []).map(({ traceId, spanId }) => `${traceId}/${spanId}`).sort();
    const found = links.flatMap((place) => {
      const linked = byPlace.get(place);
      return linked ? takersOf(linked) : [null];
    });
    return [...new Set(found)];
  };
  const names = new Map([...calls].map((call) => [call, { tenant: tenantOf(call), endpoint: endpointOf(call) }]));
  const rows = spans.flatMap((span) => {
    const takers = takersOf(span);
    const weights = largestRemainder(
      adjustedCountMicro(span.sent.traceState),
      takers.map(() => 1n),
    );
    const quantities = { ...quantitiesOf(span), calls: calls.has(span) ? 1n : 0n };
    return takers.map((call, place) => ({
      ...((call && names.get(call)) ?? { tenant: '', endpoint: '' }),
      isAttributed: call !== null,
      service: span.service,
      startNs: span.start,
      weightMicro: weights[place]!,
      quantities,
    }));
  });
  return {
    rows,
    spans: spans.length,
    traces: new Set(spans.map((span) => span.sent.traceId)).size,
    calls: calls.size,
    podServices: podServicesOf(spans),
  };
}

/** The same (trace id, span id, kind) again is the same span; the first one counts. */
function readSpans(lines: readonly string[]): Span[] {
  const byIdentity = new Map<string, Span>();
  for (const line of lines) {
    for (const { resource, scopeSpans } of JSON.parse(line).resourceSpans) {
      const attributes = attributesOf(resource?.attributes);
      for (const { spans } of scopeSpans) {
        for (const sent of spans as SentSpan[]) {
          const identity = `${sent.traceId}/${sent.spanId}/${sent.kind}`;
          if (!byIdentity.has(identity)) byIdentity.set(identity, new Span(sent, attributes));
        }
      }
    }
  }
  return [...byIdentity.values()];
}

function podServicesOf(spans: readonly Span[]): Map<string, string> {
  const pods = new Map<string, string>();
  for (const { resource, service } of spans) {
    const pod = resource.get('k8s.pod.name');
    if (!pod || service === '') continue;
    const known = pods.get(pod);
    if (known === undefined || byteOrder(service, known) < 0) pods.set(pod, service);
  }
  return pods;
}

/** 2^56 / (2^56 - T) in millionths; without a threshold a span counts once. */
function adjustedCountMicro(traceState = ''): bigint {
  const ours = traceState.split(',').find((member) => member.trim().startsWith('ot='));
  const threshold = ours
    ?.trim()
    .slice('ot='.length)
    .split(';')
    .find((part) => part.startsWith('th:'));
  if (threshold === undefined) return 1_000_000n;
  const rejected = BigInt(`0x${threshold.slice('th:'.length).padEnd(14, '0')}`);
  return nearest((1n << 56n) * 1_000_000n, (1n << 56n) - rejected);
}

function tenantOf(call: Span): string {
  const said = (attributes: ReadonlyMap<string, string>) =>
    TENANT_KEYS.map((key) => attributes.get(key)).find((value) => value);
  const below = (span: Span): Span[] => span.children.flatMap((child) => [child, ...below(child)]);
  const descendants = below(call).filter((span) => said(span.own));
  descendants.sort((a, b) => Number(a.start - b.start) || byteOrder(a.sent.spanId, b.sent.spanId));
  const [earliest] = descendants;
  return said(call.own) ?? said(call.resource) ?? (earliest ? said(earliest.own) : undefined) ?? '(unknown)';
}

function endpointOf({ own, sent }: Span): string {
  const route = own.get('http.route');
  if (route) return `${own.get('http.request.method')} ${route}`;
  const destination = own.get('messaging.destination.name');
  return sent.kind === CONSUMER && destination ? `CONSUME ${destination}` : sent.name;
}

const MEASURED: readonly (readonly [driver: string, anywhere: string, served: readonly string[]])[] = [
  ['cpu_us', 'taximeter.cpu_us', []],
  ['mem_byte_ms', 'taximeter.mem_byte_ms', []],
  ['gpu_us', 'taximeter.gpu_us', []],
  ['bytes_in', 'taximeter.bytes_in', ['http.request.size', 'http.request.body.size', 'http.request_content_length']],
  [
    'bytes_out',
    'taximeter.bytes_out',
    ['http.response.size', 'http.response.body.size', 'http.response_content_length'],
  ],
  ['log_bytes', 'taximeter.log_bytes', []],
  ['tokens_in', 'gen_ai.usage.input_tokens', []],
  ['tokens_out', 'gen_ai.usage.output_tokens', []],
  ['retries', 'taximeter.retries', []],
];

function quantitiesOf(span: Span): Record<string, bigint> {
  const { kind } = span.sent;
  const micros = span.end > span.start ? (span.end - span.start) / 1000n : 0n;
  const isClient = kind === CLIENT;
  const isDb = isClient && (span.own.has('db.system.name') || span.own.has('db.system'));
  const isExternal = isClient && !isDb && span.children.every((child) => child.service === span.service);
  const quantities: Record<string, bigint> = {
    spans: 1n,
    busy_us: isClient ? 0n : busyMicros(span),
    db_calls: isDb ? 1n : 0n,
    db_us: isDb ? micros : 0n,
    ext_calls: isExternal ? 1n : 0n,
    ext_us: isExternal ? micros : 0n,
  };
  const isServed = kind === SERVER || kind === CONSUMER;
  for (const [driver, anywhere, served] of MEASURED) {
    const value = [anywhere, ...(isServed ? served : [])].map((key) => span.own.get(key)).find((each) => each);
    quantities[driver] = BigInt(value ?? 0);
  }
  return quantities;
}

/** The nanoseconds of a span in which none of its direct children runs: swept over all edges of its children. */
function busyMicros(span: Span): bigint {
  if (span.end <= span.start) return 0n;
  const inside = span.children.filter((child) => child.end > child.start);
  const edges = [span.start, span.end, ...inside.flatMap((child) => [child.start, child.end])]
    .filter((edge) => edge >= span.start && edge <= span.end)
    .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  let free = 0n;
  for (let i = 1; i < edges.length; i++) {
    const [from, to] = [edges[i - 1]!, edges[i]!];
    if (!inside.some((child) => child.start <= from && child.end >= to)) free += to - from;
  }
  return free / 1000n;
}
