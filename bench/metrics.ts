import { simulateMetrics, simulation } from '../src/advise/index.ts';
import { decodeMetricsProtobuf } from '../src/collect/otlp/metrics-protobuf.ts';
import { RowWriter } from '../src/store/index.ts';
import { decodedByLibrary, protobufFromJson } from '../test/conformance/otlp-messages.ts';

export interface MetricFigures {
  readonly points: number;
  /** Into samples with our decoder, into messages with the well-kept library. */
  readonly micros: number;
  readonly referenceMicros: number;
}

const MESSAGE = 'ExportMetricsServiceRequest';

/** Decodes metric requests: gauges of pods as a simulation has them, and counters whose points have attributes. */
export function benchMetrics(points: number): MetricFigures {
  const requests = [...gauges(points / 2), ...counters(points / 2)];
  const made = requests.reduce((sum, { points }) => sum + points, 0);
  const ours = ({ bytes }: Request) => decodeMetricsProtobuf(bytes, new RowWriter(bytes.length));
  const theirs = ({ bytes }: Request) => decodedByLibrary(MESSAGE, bytes);
  return { points: made, micros: micros(requests, made, ours), referenceMicros: micros(requests, made, theirs) };
}

interface Request {
  readonly bytes: Buffer;
  readonly points: number;
}

/** Each decoder is warmed up on the same requests, so that neither is measured while it is still being compiled. */
function micros(requests: readonly Request[], points: number, decode: (request: Request) => unknown): number {
  for (const request of requests) decode(request);
  const start = process.cpuUsage();
  for (const request of requests) decode(request);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / points;
}

function gauges(most: number): Request[] {
  const sim = simulation({ seed: 'bench', start: '2026-10-05T00:00:00Z', days: 30 });
  const requests: Request[] = [];
  let made = 0;
  for (const { resourceMetrics } of simulateMetrics(sim)) {
    const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    const points = metrics.reduce((sum, { gauge }) => sum + gauge.dataPoints.length, 0);
    requests.push({ bytes: protobufFromJson(MESSAGE, { resourceMetrics }), points });
    made += points;
    if (made >= most) break;
  }
  return requests;
}

const ROUTES = ['/v1/orders', '/v1/orders/{id}', '/v1/users/{id}/cart', '/v1/search', '/health'];

/** Of each route and status how many were served: reported every minute by twenty pods. */
function counters(most: number): Request[] {
  const points = ROUTES.length * 2;
  const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
  return Array.from({ length: Math.ceil(most / points) }, (_, at) => {
    const [pod, minute] = [at % 20, Math.floor(at / 20)];
    const timeUnixNano = `${Date.UTC(2026, 9, 5) + minute * 60_000}000000`;
    const dataPoints = ROUTES.flatMap((route) =>
      [200, 500].map((status) => ({
        ...{ timeUnixNano, startTimeUnixNano: '1790000000000000000', asInt: String(minute * 37 + status) },
        attributes: [text('http.route', route), { key: 'http.response.status_code', value: { intValue: status } }],
      })),
    );
    const sum = { aggregationTemporality: 2, isMonotonic: true, dataPoints };
    const resource = { attributes: [text('service.name', 'api'), text('k8s.pod.name', `api-${pod}`)] };
    const scopeMetrics = [{ scope: { name: 'bench' }, metrics: [{ name: 'http.server.requests', sum }] }];
    return { bytes: protobufFromJson(MESSAGE, { resourceMetrics: [{ resource, scopeMetrics }] }), points };
  });
}
