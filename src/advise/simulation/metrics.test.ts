import { expect, it } from 'vitest';
import { simulateMetrics } from '../simulate.ts';
import type { MetricsRequest } from './otlp.ts';
import { services } from './services.ts';
import { type Simulation, simulation } from './shape.ts';
import { usageOf } from './usage.ts';

const sim = simulation({ seed: 'metrics', start: '2026-10-05', days: 1, callsPerHour: 600 });
const coarse = { ...sim, sampleSeconds: 300 };

it.each([
  { sim, samplesPerDay: 1440 },
  { sim: coarse, samplesPerDay: 288 },
])('gives every pod $samplesPerDay samples of four gauges a day, at most ten at once', ({ sim, samplesPerDay }) => {
  const pods = new Map<string, number>();
  for (const { pod, metrics } of seriesOf(simulateMetrics(sim))) {
    expect(metrics.map(({ name }) => name)).toEqual([
      'k8s.pod.cpu.usage',
      'k8s.pod.memory.working_set',
      'k8s.pod.network.receive',
      'k8s.pod.network.transmit',
    ]);
    const sizes = metrics.map(({ gauge }) => gauge.dataPoints.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    pods.set(pod, (pods.get(pod) ?? 0) + sizes[0]!);
  }
  expect([...pods.values()]).toEqual(Array.from({ length: 14 }, () => samplesPerDay));
});

it.each([sim, coarse])('agrees with the CPU time of the calls, hour by hour', (sim) => {
  const hour = { fromMs: sim.fromMs + 12 * 3_600_000, toMs: sim.fromMs + 13 * 3_600_000 };
  const used = usageOf(sim, hour).services;
  for (const service of services) {
    const idleSeconds = service.idleCores * service.pods * 3_600;
    const expected = idleSeconds + used.get(service.name)!.cpuUs / 1e6;
    expect(Math.abs(cpuSeconds(sim, hour, service.name) - expected)).toBeLessThan(idleSeconds * 0.1 + 0.001);
  }
});

function cpuSeconds(sim: Simulation, hour: { fromMs: number; toMs: number }, service: string): number {
  const own = seriesOf(simulateMetrics(sim, hour)).filter((series) => series.service === service);
  const points = own.flatMap(({ metrics }) => metrics[0]!.gauge.dataPoints);
  return points.reduce((sum, { asDouble }) => sum + asDouble * sim.sampleSeconds, 0);
}

function seriesOf(requests: Iterable<MetricsRequest>) {
  return [...requests].flatMap(({ resourceMetrics }) =>
    resourceMetrics.map(({ resource, scopeMetrics }) => {
      const text = (key: string) =>
        JSON.stringify(resource.attributes.find((attribute) => attribute.key === key)?.value);
      const service = JSON.parse(text('service.name')).stringValue as string;
      return { service, pod: text('k8s.pod.name'), metrics: scopeMetrics.flatMap(({ metrics }) => metrics) };
    }),
  );
}
