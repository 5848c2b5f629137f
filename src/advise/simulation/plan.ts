import { MILLIS_PER_HOUR, MILLIS_PER_MINUTE } from '../../model/index.ts';
import { type Endpoint, LOOP_ROUTE, STORM_ROUTE } from './endpoints.ts';
import { growthAt, loopRateAt, stormRateAt } from './habits.ts';
import { Random } from './random.ts';
import { seasonAt } from './season.ts';
import type { Simulation } from './shape.ts';
import type { Habit, Tenant } from './tenants.ts';

/** How a call ends: as meant, 404, refused with 429, or failed with 503. */
export type Outcome = 'served' | 'missing' | 'limited' | 'failed';

/** A call as it is decided, before any span is written. Traces, metrics and bill all follow from the same plan. */
export interface PlannedCall {
  readonly startUs: number;
  readonly tenant: Tenant;
  /** A few calls come without a tenant, as after a forgotten header. */
  readonly isAnonymous: boolean;
  readonly consumer: number;
  readonly endpoint: Endpoint;
  /** Scales durations and sizes; 1 is usual. */
  readonly size: number;
  readonly outcome: Outcome;
  readonly retries: number;
}

const MINUTES_PER_HOUR = MILLIS_PER_HOUR / MILLIS_PER_MINUTE;
const ANONYMOUS = 0.008;

/**
 * Plans the calls of one minute.
 *
 * Takes  minuteMs: the start of a whole minute.
 * Gives  the calls, by start.
 * Holds  depends on the simulation and the minute only; every call starts within the minute.
 */
export function planMinute(sim: Simulation, minuteMs: number): PlannedCall[] {
  const random = new Random(sim.seed, 'plan', minuteMs);
  const ordinary = random.count((sim.callsPerHour / MINUTES_PER_HOUR) * seasonAt(minuteMs));
  const calls = [
    ...Array.from({ length: ordinary }, () => ordinaryCalls(sim, minuteMs, random)).flat(),
    ...habitCalls(sim, minuteMs, random, 'loops', loopRateAt(sim, minuteMs)),
    ...habitCalls(sim, minuteMs, random, 'storms', stormRateAt(sim, minuteMs)),
  ];
  return calls.sort((a, b) => a.startUs - b.startUs);
}

/** Usually one call; none, one or two for the tenant that grows. */
function ordinaryCalls(sim: Simulation, minuteMs: number, random: Random): PlannedCall[] {
  const index = random.pick(sim.tenantSums);
  const tenant = sim.tenants[index]!;
  const copies = tenant.habit === 'grows' ? random.count(growthAt(sim, minuteMs)) : 1;
  return Array.from({ length: copies }, () => {
    const endpoint = sim.endpoints[favourite(sim, index, random)]!;
    const outcome = ordinaryOutcome(endpoint, random);
    return planned(minuteMs, random, tenant, random.below(tenant.consumers), endpoint, outcome, 0);
  });
}

/** Tenants prefer different endpoints: half of the calls are the dearer to this tenant of two candidates. */
function favourite(sim: Simulation, tenantIndex: number, random: Random): number {
  const first = random.pick(sim.endpointSums);
  if (random.chance(0.5)) return first;
  const second = random.pick(sim.endpointSums);
  const dearness = (endpoint: number) => (tenantIndex * 7 + endpoint * 3) % 5;
  return dearness(second) > dearness(first) ? second : first;
}

function ordinaryOutcome(endpoint: Endpoint, random: Random): Outcome {
  const luck = random.unit();
  if (luck < 0.004) return 'failed';
  if (luck < 0.005) return 'limited';
  return luck < 0.014 && endpoint.route.endsWith('{id}') ? 'missing' : 'served';
}

/** A storm or a loop is the work of one consumer on one endpoint. */
function habitCalls(
  sim: Simulation,
  minuteMs: number,
  random: Random,
  habit: Habit & ('loops' | 'storms'),
  callsPerHour: number,
): PlannedCall[] {
  const tenant = sim.tenants.find((candidate) => candidate.habit === habit);
  if (!tenant || callsPerHour === 0) return [];
  const route = habit === 'storms' ? STORM_ROUTE : LOOP_ROUTE;
  const endpoint = sim.endpoints.find((candidate) => candidate.route === route) ?? sim.endpoints[0]!;
  return Array.from({ length: random.count(callsPerHour / MINUTES_PER_HOUR) }, () =>
    habit === 'storms'
      ? planned(minuteMs, random, tenant, 0, endpoint, stormOutcome(random), 1 + random.below(6))
      : planned(minuteMs, random, tenant, 0, endpoint, 'served', 0),
  );
}

function stormOutcome(random: Random): Outcome {
  const luck = random.unit();
  if (luck < 0.65) return 'limited';
  return luck < 0.85 ? 'failed' : 'served';
}

function planned(
  minuteMs: number,
  random: Random,
  tenant: Tenant,
  consumer: number,
  endpoint: Endpoint,
  outcome: Outcome,
  retries: number,
): PlannedCall {
  const skew = random.unit();
  return {
    startUs: minuteMs * 1_000 + random.below(MILLIS_PER_MINUTE * 1_000),
    tenant,
    isAnonymous: random.chance(ANONYMOUS),
    consumer,
    endpoint,
    size: tenant.size * (0.5 + 1.5 * skew * skew),
    outcome,
    retries,
  };
}
