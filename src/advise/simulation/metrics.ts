import type { TimeRange } from '../../model/index.ts';
import { type Gauge, type MetricsRequest, resourceOf, SCOPE } from './otlp.ts';
import { Random } from './random.ts';
import { type Service, services } from './services.ts';
import type { Simulation } from './shape.ts';
import { type Usage, usageOf } from './usage.ts';

const SAMPLES_PER_REQUEST = 10;
const NO_USAGE = { cpuUs: 0, receivedBytes: 0, sentBytes: 0 };
/** Probes, scrapes and keep-alives. */
const IDLE_BYTES_PER_SECOND = 420;

const UNITS = {
  'k8s.pod.cpu.usage': '{cpu}',
  'k8s.pod.memory.working_set': 'By',
  'k8s.pod.network.receive': 'By/s',
  'k8s.pod.network.transmit': 'By/s',
} as const;

type MetricName = keyof typeof UNITS;
type Sample = Record<MetricName, number> & { readonly atMs: number };

/**
 * Yields the gauges of every pod, as OTLP export requests of at most ten samples a series.
 *
 * Holds  a sample stands at the start of the time that it tells of, so integrals agree with the calls of that time.
 */
export function* metricsOf(sim: Simulation, range: TimeRange): Generator<MetricsRequest, void, undefined> {
  const stepMs = sim.sampleSeconds * 1_000;
  for (let fromMs = range.fromMs; fromMs < range.toMs; fromMs += SAMPLES_PER_REQUEST * stepMs) {
    const toMs = Math.min(fromMs + SAMPLES_PER_REQUEST * stepMs, range.toMs);
    const times = Array.from({ length: Math.ceil((toMs - fromMs) / stepMs) }, (_, i) => fromMs + i * stepMs);
    const moments = times.map((atMs) => ({ atMs, usage: usageOf(sim, { fromMs: atMs, toMs: atMs + stepMs }) }));
    yield { resourceMetrics: services.flatMap((service) => podsOf(sim, service, moments)) };
  }
}

type Moment = { readonly atMs: number; readonly usage: Usage };

function podsOf(sim: Simulation, service: Service, moments: readonly Moment[]): MetricsRequest['resourceMetrics'] {
  return sim.pods.get(service)!.map((pod, index) => {
    const samples = moments.map((moment) => sampleOf(sim, service, index, moment));
    const metrics = (Object.keys(UNITS) as MetricName[]).map((name) => gauge(name, samples));
    return { resource: resourceOf(service.name, pod), scopeMetrics: [{ scope: SCOPE, metrics }] };
  });
}

function sampleOf(sim: Simulation, service: Service, pod: number, { atMs, usage }: Moment): Sample {
  const random = new Random(sim.seed, 'metrics', service.name, pod, atMs);
  const used = usage.services.get(service.name) ?? NO_USAGE;
  const perSecond = podShare(service, pod) / sim.sampleSeconds;
  const filling = service.memoryBytes * 0.15 * (((atMs - sim.fromMs) / 86_400_000 + pod / 3) % 1);
  return {
    atMs,
    'k8s.pod.cpu.usage': service.idleCores * (0.9 + 0.2 * random.unit()) + (used.cpuUs * perSecond) / 1_000_000,
    'k8s.pod.memory.working_set': Math.round(service.memoryBytes + filling + random.below(4_194_304)),
    'k8s.pod.network.receive': IDLE_BYTES_PER_SECOND * (0.9 + 0.2 * random.unit()) + used.receivedBytes * perSecond,
    'k8s.pod.network.transmit': IDLE_BYTES_PER_SECOND * (0.9 + 0.2 * random.unit()) + used.sentBytes * perSecond,
  };
}

/** Load balancing is never quite even. */
function podShare(service: Service, pod: number): number {
  if (service.pods === 1) return 1;
  return pod === 0 ? 1.08 / service.pods : (service.pods - 1.08) / service.pods / (service.pods - 1);
}

function gauge(name: MetricName, samples: readonly Sample[]): Gauge {
  const dataPoints = samples.map((sample) => ({
    timeUnixNano: `${sample.atMs}000000`,
    asDouble: Math.round(sample[name] * 1e9) / 1e9,
  }));
  return { name, unit: UNITS[name], gauge: { dataPoints } };
}
