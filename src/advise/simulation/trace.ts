import { SpanKind } from '../../model/index.ts';
import type { Random } from './random.ts';
import { type Service, serviceNamed } from './services.ts';
import type { Simulation } from './shape.ts';
import type { Attributes, SimulatedSpan, SpanLink } from './span.ts';
import type { Publish, Step } from './steps.ts';

/** A message on a queue: who left it, when, and what the worker will do with it. */
export interface Message extends SpanLink {
  readonly publish: Publish;
  readonly sentUs: number;
  readonly size: number;
}

/** How one trace comes out. */
export interface TraceMood {
  readonly size: number;
  readonly traceState?: string;
  /** A failed trace fails in its first step and leaves out the rest. */
  readonly isFailed: boolean;
}

interface Opening {
  readonly service: Service;
  readonly name: string;
  readonly kind: number;
  readonly parentSpanId?: string;
  readonly startUs: number;
  readonly workUs: number;
  readonly steps: readonly Step[];
  readonly attributes: Attributes;
  readonly links?: readonly SpanLink[];
}

/** Writes the spans of one trace, step by step; what is left on queues is gathered in messages. */
export class TraceWriter {
  readonly spans: SimulatedSpan[] = [];
  readonly messages: Message[] = [];
  readonly #sim: Simulation;
  readonly #random: Random;
  readonly #traceId: string;
  readonly #mood: TraceMood;

  constructor(sim: Simulation, random: Random, traceId: string, mood: TraceMood) {
    this.#sim = sim;
    this.#random = random;
    this.#traceId = traceId;
    this.#mood = mood;
  }

  /** Writes a span that does work of its own around its steps. Gives its end. */
  work(opening: Opening): number {
    const { service, name, kind, parentSpanId, startUs, links } = opening;
    const spanId = this.#random.hex(16);
    const pod = this.#podOf(service);
    const workUs = this.#spread(opening.workUs);
    let atUs = startUs + Math.floor(workUs / 3);
    for (const step of opening.steps) atUs = this.#step(step, service, pod, spanId, atUs);
    const endUs = atUs + workUs - Math.floor(workUs / 3);
    const cpu = service.measuresCpu ? { 'taximeter.cpu_us': Math.round(workUs * service.cpuShare) } : {};
    const attributes = { ...opening.attributes, ...cpu };
    this.#push(service, pod, { spanId, parentSpanId, name, kind, startUs, endUs, attributes, links });
    return endUs;
  }

  #step(step: Step, service: Service, pod: string, parentSpanId: string, startUs: number): number {
    if (step.does === 'ask') return this.#ask(step, service, pod, parentSpanId, startUs);
    if (step.does === 'publish') return this.#publish(step, service, pod, parentSpanId, startUs);
    const endUs = startUs + this.#spread(step.tookUs);
    const outside = { parentSpanId, spanId: this.#random.hex(16), kind: SpanKind.CLIENT, startUs, endUs };
    const name = step.does === 'query' ? step.summary : `POST ${step.host}`;
    const attributes = step.does === 'query' ? queryAttributes(step) : this.#vendorAttributes(step);
    this.#push(service, pod, { ...outside, name, attributes });
    return endUs;
  }

  #ask(step: Step & { does: 'ask' }, service: Service, pod: string, parentSpanId: string, startUs: number): number {
    const spanId = this.#random.hex(16);
    const method = `${step.service}.v1.${capital(step.service)}/${step.method}`;
    const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method };
    const wireUs = 80 + this.#random.below(220);
    const inner = { service: serviceNamed(step.service), name: method, kind: SpanKind.SERVER, parentSpanId: spanId };
    const steps = this.#mood.isFailed ? step.steps.slice(0, 1) : step.steps;
    const answeredUs = this.work({ ...inner, startUs: startUs + wireUs, workUs: step.workUs, steps, attributes });
    const client = { spanId, parentSpanId, kind: SpanKind.CLIENT, startUs, endUs: answeredUs + wireUs };
    this.#push(service, pod, {
      ...client,
      name: method,
      attributes: { ...attributes, 'server.address': step.service },
    });
    return client.endUs;
  }

  #publish(step: Publish, service: Service, pod: string, parentSpanId: string, startUs: number): number {
    const spanId = this.#random.hex(16);
    const endUs = startUs + 200 + this.#random.below(700);
    const attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'send',
      'messaging.destination.name': step.queue,
    };
    const span = { spanId, parentSpanId, kind: SpanKind.PRODUCER, startUs, endUs, attributes };
    this.#push(service, pod, { ...span, name: `send ${step.queue}` });
    const { size } = this.#mood;
    this.messages.push({ traceId: this.#traceId, spanId, publish: step, sentUs: endUs, size });
    return endUs;
  }

  #vendorAttributes({ host, path, tokens }: Step & { does: 'vendor' }): Attributes {
    const request = { 'http.request.method': 'POST', 'server.address': host, 'url.path': path };
    if (!tokens) return { ...request, 'http.response.status_code': this.#mood.isFailed ? 503 : 200 };
    return {
      ...request,
      'gen_ai.request.model': tokens.model,
      'gen_ai.usage.input_tokens': this.#spread(tokens.input),
      'gen_ai.usage.output_tokens': this.#spread(tokens.output),
    };
  }

  #push(service: Service, pod: string, span: Omit<SimulatedSpan, 'service' | 'pod' | 'traceId' | 'isError'>): void {
    const { spanId, parentSpanId, name, kind, startUs, endUs, attributes, links } = span;
    const { traceState, isFailed } = this.#mood;
    const identity = { service, pod, traceId: this.#traceId, spanId, parentSpanId, traceState };
    this.spans.push({ ...identity, name, kind, startUs, endUs, attributes, links, isError: isFailed });
  }

  #podOf(service: Service): string {
    return this.#sim.pods.get(service)![this.#random.below(service.pods)]!;
  }

  /** Around the mean, by the size of the call, with a few stragglers. */
  #spread(mean: number): number {
    const straggle = this.#random.chance(0.02) ? 4 : 1;
    return Math.max(1, Math.round(mean * this.#mood.size * (0.7 + 0.54 * this.#random.unit()) * straggle));
  }
}

function queryAttributes({ system, summary }: Step & { does: 'query' }): Attributes {
  const [operation = '', collection] = summary.split(' ');
  return {
    'db.system.name': system,
    'db.operation.name': operation,
    'db.collection.name': collection,
    'db.query.summary': summary,
  };
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
