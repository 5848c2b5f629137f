import { MILLIS_PER_MINUTE, type TimeRange } from '../../model/index.ts';
import { bodyBytes, LIMITED_WORK } from './call.ts';
import type { Endpoint } from './endpoints.ts';
import { type PlannedCall, planMinute } from './plan.ts';
import { GATEWAY, serviceNamed, WORKER } from './services.ts';
import type { Simulation } from './shape.ts';
import type { Step } from './steps.ts';

/** What one service uses for calls: CPU time and bytes over its network. */
export interface ServiceUsage {
  cpuUs: number;
  receivedBytes: number;
  sentBytes: number;
}

/** What a stretch of time used. */
export interface Usage {
  calls: number;
  requestBytes: number;
  responseBytes: number;
  readonly services: Map<string, ServiceUsage>;
}

const MESSAGE_BYTES = 700;

/**
 * Adds up what the calls of a range use, from the same plan as their spans.
 *
 * Takes  range: whole minutes.
 * Holds  durations are their means, so CPU agrees with the spans on average, not to the microsecond.
 */
export function usageOf(sim: Simulation, range: TimeRange): Usage {
  const usage: Usage = { calls: 0, requestBytes: 0, responseBytes: 0, services: new Map() };
  for (let minuteMs = range.fromMs; minuteMs < range.toMs; minuteMs += MILLIS_PER_MINUTE) {
    for (const call of planMinute(sim, minuteMs)) addCall(usage, call);
  }
  return usage;
}

function addCall(usage: Usage, call: PlannedCall): void {
  const { endpoint, outcome, size } = call;
  const { requestBytes, responseBytes } = bodyBytes(call);
  usage.calls += 1;
  usage.requestBytes += requestBytes;
  usage.responseBytes += responseBytes;
  const work = endpoint.workUs * size * (outcome === 'limited' ? LIMITED_WORK : 1);
  addService(usage, GATEWAY, work, requestBytes + responseBytes, requestBytes + responseBytes);
  if (outcome !== 'limited') for (const [name, workUs] of innerWork(endpoint)) addInner(usage, call, name, workUs);
}

function addInner(usage: Usage, call: PlannedCall, name: string, workUs: number): void {
  const { requestBytes, responseBytes } = bodyBytes(call);
  addService(usage, name, workUs * call.size, requestBytes + MESSAGE_BYTES, responseBytes + MESSAGE_BYTES);
}

function addService(usage: Usage, name: string, workUs: number, receivedBytes: number, sentBytes: number): void {
  const sum = usage.services.get(name) ?? { cpuUs: 0, receivedBytes: 0, sentBytes: 0 };
  sum.cpuUs += workUs * serviceNamed(name).cpuShare;
  sum.receivedBytes += receivedBytes;
  sum.sentBytes += sentBytes;
  usage.services.set(name, sum);
}

const known = new WeakMap<Endpoint, readonly (readonly [service: string, workUs: number])[]>();

/** The mean work of every service behind the gateway; an endpoint's never changes, so it is worked out once. */
function innerWork(endpoint: Endpoint): readonly (readonly [service: string, workUs: number])[] {
  const work = known.get(endpoint) ?? endpoint.steps.flatMap(workOfStep);
  known.set(endpoint, work);
  return work;
}

function workOfStep(step: Step): (readonly [service: string, workUs: number])[] {
  if (step.does === 'ask') return [[step.service, step.workUs], ...step.steps.flatMap(workOfStep)];
  return step.does === 'publish' ? [[WORKER, step.workUs]] : [];
}
