import { fail, MILLIS_PER_HOUR, type Problem, parseInstant, type TimeRange } from '../../model/index.ts';
import { type Endpoint, endpointsOf } from './endpoints.ts';
import { Random, type RunningSums, runningSums } from './random.ts';
import { type Service, services } from './services.ts';
import { type Tenant, tenantsOf } from './tenants.ts';

/** What a simulation is asked for; everything but seed and start has a default. */
export interface SimulationOptions {
  /** The same seed and options give the same bytes. */
  readonly seed: string | number;
  /** A UTC instant at a whole hour. */
  readonly start: string;
  readonly days?: number;
  readonly tenants?: number;
  readonly endpoints?: number;
  /** Mean over a week, without what storms and loops add. */
  readonly callsPerHour?: number;
  readonly spansPerRequest?: number;
  /** How often pods report; a gauge holds for at most five minutes. */
  readonly sampleSeconds?: number;
  /** Storm, growth and night loop; off gives plain seasonal traffic. */
  readonly habits?: boolean;
}

/** A simulation that is fully decided: every figure in it follows from these values. */
export interface Simulation extends TimeRange {
  readonly seed: string;
  readonly tenants: readonly Tenant[];
  readonly endpoints: readonly Endpoint[];
  readonly callsPerHour: number;
  readonly spansPerRequest: number;
  readonly sampleSeconds: number;
  /** How often each tenant and endpoint comes up, as Random.pick takes it. */
  readonly tenantSums: RunningSums;
  readonly endpointSums: RunningSums;
  /** Pod names of each service. */
  readonly pods: ReadonlyMap<Service, readonly string[]>;
}

const MS_PER_DAY = 24 * MILLIS_PER_HOUR;

/** A minute is made at once, so its calls must fit in memory; for more, see loadRequests. */
const MOST_CALLS_PER_HOUR = 3_600_000;

/** The defaults are the demo: 7 days, about 60,000 calls, fewer than 400,000 spans. */
function withDefaults({
  seed,
  start,
  days = 7,
  tenants = 12,
  endpoints = 20,
  callsPerHour = 320,
  spansPerRequest = 500,
  sampleSeconds = 60,
  habits = true,
}: SimulationOptions): Required<SimulationOptions> {
  return { seed, start, days, tenants, endpoints, callsPerHour, spansPerRequest, sampleSeconds, habits };
}

/**
 * Decides a simulation.
 *
 * Takes  options: see there.
 * Gives  what simulateTraces, simulateMetrics, simulateBill and simulationDocuments take.
 * Fails  PARAMETER_INVALID with every problem, TIME_MALFORMED.
 */
export function simulation(options: SimulationOptions): Simulation {
  const asked = withDefaults(options);
  const fromMs = parseInstant(asked.start);
  const problems = problemsOf(asked, fromMs);
  if (problems.length > 0) throw fail('PARAMETER_INVALID', { what: 'simulation' }, problems);
  const seed = String(asked.seed);
  const tenants = tenantsOf(asked.tenants, asked.habits);
  const endpoints = endpointsOf(asked.endpoints);
  return Object.freeze({
    seed,
    fromMs,
    toMs: fromMs + asked.days * MS_PER_DAY,
    tenants,
    endpoints,
    callsPerHour: asked.callsPerHour,
    spansPerRequest: asked.spansPerRequest,
    sampleSeconds: asked.sampleSeconds,
    tenantSums: runningSums(tenants.map(({ share }) => share)),
    endpointSums: runningSums(endpoints.map(({ share }) => share)),
    pods: new Map(services.map((service) => [service, podNames(seed, service)])),
  });
}

function podNames(seed: string, service: Service): string[] {
  const random = new Random(seed, 'pods', service.name);
  const deployment = random.hex(9);
  return Array.from({ length: service.pods }, () => `${service.name}-${deployment}-${random.hex(5)}`);
}

function problemsOf(asked: Required<SimulationOptions>, fromMs: number): Problem[] {
  const wholeFrom = (
    name: 'days' | 'tenants' | 'endpoints' | 'spansPerRequest',
    least: number,
    most: number,
  ): Problem[] => {
    const value = asked[name];
    const isFine = Number.isInteger(value) && value >= least && value <= most;
    return isFine ? [] : [{ path: name, message: `${name} must be a whole number from ${least} to ${most}` }];
  };
  const isWholeHour = fromMs % MILLIS_PER_HOUR === 0;
  const rateFits = asked.callsPerHour > 0 && asked.callsPerHour <= MOST_CALLS_PER_HOUR;
  return [
    ...(isWholeHour ? [] : [{ path: 'start', message: 'start must be a whole hour in UTC' }]),
    ...(rateFits ? [] : [{ path: 'callsPerHour', message: 'callsPerHour must be above 0 and at most 3,600,000' }]),
    ...wholeFrom('days', 1, 400),
    ...wholeFrom('tenants', 1, 100_000),
    ...wholeFrom('endpoints', 1, 10_000),
    ...wholeFrom('spansPerRequest', 1, 20_000),
    ...(300 % asked.sampleSeconds === 0 && asked.sampleSeconds % 60 === 0
      ? []
      : [{ path: 'sampleSeconds', message: 'sampleSeconds must be 60 or 300' }]),
  ];
}
