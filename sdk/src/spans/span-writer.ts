import type { Call } from '../call.ts';
import { FRAME_HEAD } from '../outbox/frame.ts';
import { LARGEST_NUMBER, message, PADDED_LENGTH, PADDED_NUMBER, patchNumber, Times, tag, text } from './proto.ts';
import { type SpanTemplate, spanTemplate, textAttribute } from './span-template.ts';

const BATCH_BYTES = 256 * 1024;
const MOST_FREE = 4;
const LONGEST_TEXT = 256;
/** Names come from code and from tenants; beyond so many they are forgotten and made again. */
const MOST_TEMPLATES = 5_000;

/** How a call ended. Null is unknown. */
export interface EndedCall {
  method: string;
  /** A template, else empty. */
  route: string;
  /** Where there is no route. */
  path: string;
  status: number | null;
  bytesIn: number | null;
  bytesOut: number | null;
  cpuUs: number | null;
  startMs: number;
  endMs: number;
}

/** A call to others that ended. */
export interface EndedOutbound {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty where the call is not known. */
  readonly parentId: string;
  readonly method: string;
  readonly host: string;
  readonly status: number | null;
  readonly isError: boolean;
  readonly startMs: number;
  readonly endMs: number;
}

/** Who called a route last. */
interface Last {
  readonly method: string;
  readonly tenant: string;
  readonly consumer: string;
  readonly templates: (SpanTemplate | undefined)[];
}

/** Which numbers a span has: each combination has a template of its own. */
const has = { parent: 1, status: 2, bytes: 4, cpu: 8, error: 16 };

/**
 * Gathers spans as one ResourceSpans in protobuf.
 *
 * What spans of the same kind, tenant and route have in common is put together once; of each only ids, times and numbers are written.
 */
export class SpanWriter {
  #batch: Buffer = Buffer.from(new ArrayBuffer(BATCH_BYTES));
  #view = new DataView(this.#batch.buffer);
  /** What is written elsewhere is not written over here: there are several, and they go round. */
  readonly #free: Buffer[] = [];
  readonly #times = new Times();
  readonly #resourceLengthAt: number;
  readonly #scopeLengthAt: number;
  readonly #headLength: number;
  #at: number;
  #spans = 0;
  /** By route, method, tenant and consumer: finding a text that is there costs less than joining four. */
  #routes = new Map<string, Map<string, Map<string, Map<string, (SpanTemplate | undefined)[]>>>>();
  readonly #last = new Map<string, Last>();
  #others = new Map<string, SpanTemplate>();
  #templates = 0;

  /** Takes  resource: attributes of the program that sends, such as `service.name`. */
  constructor(resource: Readonly<Record<string, string>>) {
    const unknownLength = Array<number>(PADDED_LENGTH).fill(0);
    const attributes = Object.entries(resource).flatMap(([key, value]) => textAttribute(1, key, value));
    const about = message(1, attributes);
    const scope = message(1, text(1, '@taximeter/node'));
    const head = [...tag(1, 2), ...unknownLength, ...about, ...tag(2, 2), ...unknownLength, ...scope];
    this.#resourceLengthAt = FRAME_HEAD + 1;
    this.#scopeLengthAt = FRAME_HEAD + head.length - scope.length - PADDED_LENGTH;
    this.#headLength = FRAME_HEAD + head.length;
    this.#batch.set(head, FRAME_HEAD);
    this.#at = this.#headLength;
  }

  get spans(): number {
    return this.#spans;
  }

  /** Takes what was gathered, as a frame whose head is free; it holds until it is released. */
  take(): Buffer {
    patchNumber(this.#batch, this.#resourceLengthAt, this.#at - this.#resourceLengthAt - PADDED_LENGTH, PADDED_LENGTH);
    patchNumber(this.#batch, this.#scopeLengthAt, this.#at - this.#scopeLengthAt - PADDED_LENGTH, PADDED_LENGTH);
    const frame = this.#batch.subarray(0, this.#at);
    const next = this.#free.pop() ?? Buffer.from(new ArrayBuffer(BATCH_BYTES));
    next.set(this.#batch.subarray(0, this.#headLength));
    this.#batch = next;
    this.#view = new DataView(next.buffer);
    this.#at = this.#headLength;
    this.#spans = 0;
    return frame;
  }

  /** Says that a frame is not needed any more. */
  release({ buffer }: Buffer): void {
    if (this.#free.length < MOST_FREE) this.#free.push(Buffer.from(buffer));
  }

  /** Adds a call. Gives  whether there was room; where not, what is there must be taken first. */
  addCall(call: Call, ended: EndedCall): boolean {
    const { status, bytesIn, bytesOut, cpuUs } = ended;
    const template = this.#templateOf(call, ended);
    if (!this.#place(template, ended.startMs, ended.endMs)) return false;
    const start = this.#at;
    const { idPool, idAt, parent } = call;
    if (parent === null) this.#copyId(start + template.traceAt, idPool, idAt, 16);
    else {
      this.#batch.write(parent.traceId, start + template.traceAt, 'hex');
      this.#batch.write(parent.spanId, start + template.parentAt, 'hex');
    }
    this.#copyId(start + template.spanAt, idPool, idAt + 8, 8);
    let place = 0;
    if (status !== null) this.#put(start + template.numbersAt[place++]!, status);
    if (bytesIn !== null && bytesOut !== null) {
      this.#put(start + template.numbersAt[place++]!, bytesIn);
      this.#put(start + template.numbersAt[place++]!, bytesOut);
    }
    if (cpuUs !== null) {
      this.#put(start + template.numbersAt[place++]!, cpuUs);
      this.#put(start + template.numbersAt[place++]!, call.retries);
    }
    this.#at += template.bytes.length;
    this.#spans += 1;
    return true;
  }

  /** Adds a call to others. Gives  whether there was room. */
  addOutbound(ended: EndedOutbound): boolean {
    const template = this.#otherTemplateOf(ended);
    if (!this.#place(template, ended.startMs, ended.endMs)) return false;
    const start = this.#at;
    this.#batch.write(ended.traceId, start + template.traceAt, 'hex');
    this.#batch.write(ended.spanId, start + template.spanAt, 'hex');
    if (ended.parentId !== '') this.#batch.write(ended.parentId, start + template.parentAt, 'hex');
    if (ended.status !== null) this.#put(start + template.numbersAt[0]!, ended.status);
    this.#at += template.bytes.length;
    this.#spans += 1;
    return true;
  }

  /** So few bytes are copied faster one by one than by asking for it. */
  #copyId(at: number, ids: Buffer, from: number, length: number): void {
    const batch = this.#batch;
    for (let byte = 0; byte < length; byte++) batch[at + byte] = ids[from + byte]!;
  }

  #put(at: number, value: number): void {
    patchNumber(this.#batch, at, Math.min(value, LARGEST_NUMBER), PADDED_NUMBER);
  }

  #place({ bytes, startAt, endAt }: SpanTemplate, startMs: number, endMs: number): boolean {
    if (this.#at + bytes.length > this.#batch.length) return false;
    this.#batch.set(bytes, this.#at);
    this.#times.patch(this.#view, this.#at + startAt, startMs);
    this.#times.patch(this.#view, this.#at + endAt, endMs);
    return true;
  }

  #templateOf(call: Call, ended: EndedCall): SpanTemplate {
    const flags =
      (call.parent === null ? 0 : has.parent) +
      (ended.status === null ? 0 : has.status) +
      (ended.bytesIn === null ? 0 : has.bytes) +
      (ended.cpuUs === null ? 0 : has.cpu) +
      ((ended.status ?? 0) >= 500 ? has.error : 0);
    // Paths without a route are as many as anybody likes to send.
    if (ended.route === '') return callTemplate(call, ended, flags);
    const templates = this.#templatesOf(ended.route, ended.method, call.tenant, call.consumer);
    const known = templates[flags];
    if (known !== undefined) return known;
    if (++this.#templates > MOST_TEMPLATES) this.#forget();
    templates[flags] = callTemplate(call, ended, flags);
    return templates[flags];
  }

  /** Of a route the templates of its last caller are at hand: many calls in a row are of the same one. */
  #templatesOf(route: string, method: string, tenant: string, consumer: string): (SpanTemplate | undefined)[] {
    const last = this.#last.get(route);
    if (last !== undefined && last.tenant === tenant && last.method === method && last.consumer === consumer)
      return last.templates;
    const templates = at(inner(inner(inner(this.#routes, route), method), tenant), consumer);
    this.#last.set(route, { method, tenant, consumer, templates });
    return templates;
  }

  #otherTemplateOf(ended: EndedOutbound): SpanTemplate {
    const { method, host, status, isError, parentId } = ended;
    const key = `${method} ${host} ${status !== null} ${isError} ${parentId !== ''}`;
    const known = this.#others.get(key);
    if (known !== undefined) return known;
    if (++this.#templates > MOST_TEMPLATES) this.#forget();
    const template = outboundTemplate(ended);
    this.#others.set(key, template);
    return template;
  }

  #forget(): void {
    this.#routes = new Map();
    this.#last.clear();
    this.#others = new Map();
    this.#templates = 0;
  }
}

function inner<Value extends Map<string, unknown>>(map: Map<string, Value>, key: string): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = new Map() as Value;
  map.set(key, made);
  return made;
}

function at(map: Map<string, (SpanTemplate | undefined)[]>, key: string): (SpanTemplate | undefined)[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made: (SpanTemplate | undefined)[] = [];
  map.set(key, made);
  return made;
}

function callTemplate({ tenant, consumer }: Call, { method, route, path }: EndedCall, flags: number): SpanTemplate {
  const place = route === '' ? (['url.path', path] as const) : (['http.route', route] as const);
  return spanTemplate({
    kind: 'server',
    name: cut(route === '' ? method : `${method} ${route}`),
    texts: texts([
      ['http.request.method', method],
      place,
      ['taximeter.tenant', tenant],
      ['taximeter.consumer', consumer],
    ]),
    numbers: [
      ...(flags & has.status ? ['http.response.status_code'] : []),
      ...(flags & has.bytes ? ['taximeter.bytes_in', 'taximeter.bytes_out'] : []),
      ...(flags & has.cpu ? ['taximeter.cpu_us', 'taximeter.retries'] : []),
    ],
    hasParent: (flags & has.parent) !== 0,
    isError: (flags & has.error) !== 0,
  });
}

function outboundTemplate({ method, host, status, isError, parentId }: EndedOutbound): SpanTemplate {
  return spanTemplate({
    kind: 'client',
    name: cut(`${method} ${host}`),
    texts: texts([
      ['http.request.method', method],
      ['server.address', host],
    ]),
    numbers: status === null ? [] : ['http.response.status_code'],
    hasParent: parentId !== '',
    isError,
  });
}

function texts(all: readonly (readonly [string, string])[]): [string, string][] {
  return all.filter(([, value]) => value !== '').map(([key, value]) => [key, cut(value)]);
}

/** Cut between characters. */
function cut(value: string): string {
  if (value.length <= LONGEST_TEXT) return value;
  return [...value.slice(0, 2 * LONGEST_TEXT)].slice(0, LONGEST_TEXT).join('');
}
