import { SpanKind } from '../../model/index.ts';
import type { Outcome, PlannedCall } from './plan.ts';
import type { Random } from './random.ts';
import { GATEWAY, serviceNamed } from './services.ts';
import type { Simulation } from './shape.ts';
import type { Attributes } from './span.ts';
import { TraceWriter } from './trace.ts';

const gateway = serviceNamed(GATEWAY);

const STATUS = { served: 200, missing: 404, limited: 429, failed: 503 } as const;

/** A refused call costs the gateway a fifth of a served one and nobody else anything. */
export const LIMITED_WORK = 0.2;

/** Writes the trace of one planned call: the gateway's SERVER span and everything under it. */
export function writeCall(sim: Simulation, random: Random, call: PlannedCall): TraceWriter {
  const { endpoint, outcome } = call;
  const writer = new TraceWriter(sim, random, random.hex(32), { size: call.size, isFailed: outcome === 'failed' });
  writer.work({
    service: gateway,
    name: `${endpoint.method} ${endpoint.route}`,
    kind: SpanKind.SERVER,
    startUs: call.startUs,
    workUs: endpoint.workUs * (outcome === 'limited' ? LIMITED_WORK : 1),
    steps: stepsTaken(call),
    attributes: rootAttributes(call, random),
  });
  return writer;
}

function stepsTaken({ endpoint, outcome }: PlannedCall) {
  if (outcome === 'limited') return [];
  return outcome === 'served' ? endpoint.steps : endpoint.steps.slice(0, 1);
}

/** `url.path` holds what the client really asked for; `http.route` is what it is counted as. */
function rootAttributes(call: PlannedCall, random: Random): Attributes {
  const { endpoint, tenant, outcome } = call;
  const { requestBytes, responseBytes } = bodyBytes(call);
  return {
    'http.request.method': endpoint.method,
    'http.route': endpoint.route,
    'url.path': endpoint.route.replace('{id}', () => random.hex(12)),
    'url.scheme': 'https',
    'server.address': 'api.shop.example',
    'http.response.status_code': STATUS[outcome],
    'error.type': outcome === 'failed' ? String(STATUS.failed) : undefined,
    'tenant.id': call.isAnonymous ? undefined : tenant.name,
    'taximeter.consumer': call.isAnonymous ? undefined : `${tenant.name}/key-${call.consumer + 1}`,
    'http.request.body.size': requestBytes > 0 ? requestBytes : undefined,
    'http.response.body.size': responseBytes,
    'taximeter.retries': call.retries > 0 ? call.retries : undefined,
  };
}

/** Body sizes of a call, as its root states them and the network metrics and the bill count them. */
export function bodyBytes({ endpoint, outcome, size }: PlannedCall): { requestBytes: number; responseBytes: number } {
  const responseBytes = outcome === 'served' ? Math.round(endpoint.responseBytes * size) : ERROR_BYTES[outcome];
  return { requestBytes: Math.round(endpoint.requestBytes * size), responseBytes };
}

const ERROR_BYTES: Record<Exclude<Outcome, 'served'>, number> = { missing: 118, limited: 164, failed: 142 };
