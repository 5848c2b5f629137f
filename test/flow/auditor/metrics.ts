import { scaled } from './numbers.ts';

/** DESIGN 6.4: samples and their integrals, written from the text alone. */

interface Point {
  readonly at: bigint;
  readonly micro: bigint;
  /** Since when a counter counts; 0 where that is not said. */
  readonly since: bigint;
}

export interface Series {
  readonly metric: string;
  readonly service: string;
  readonly pod: string;
  readonly kind: 'gauge' | 'delta' | 'cumulative';
  readonly points: readonly Point[];
}

const HOLD_NS = 5n * 60n * 1_000_000_000n;
const SUM_KINDS: Record<string, Series['kind']> = { '1 true': 'delta', '1 false': 'delta', '2 true': 'cumulative' };

/** Reads points in the order of the lines; of a series and a time the first one counts. */
export function readSeries(lines: readonly string[]): Series[] {
  const all = new Map<string, Omit<Series, 'points'> & { readonly byTime: Map<bigint, Point> }>();
  for (const line of lines) {
    for (const { resource, scopeMetrics } of JSON.parse(line).resourceMetrics) {
      const labels = labelsOf(resource?.attributes);
      for (const metric of scopeMetrics.flatMap((scope: { metrics: unknown[] }) => scope.metrics)) {
        const { gauge, sum } = metric;
        const kind = gauge ? 'gauge' : (SUM_KINDS[`${sum.aggregationTemporality} ${sum.isMonotonic}`] ?? 'gauge');
        for (const point of (gauge ?? sum).dataPoints) {
          const key = JSON.stringify([metric.name, sorted(labels), sorted(labelsOf(point.attributes))]);
          const series = all.get(key) ?? {
            metric: metric.name,
            service: labels.get('service.name') ?? '',
            pod: labels.get('k8s.pod.name') ?? '',
            kind,
            byTime: new Map(),
          };
          all.set(key, series);
          const at = BigInt(point.timeUnixNano);
          const since = BigInt(point.startTimeUnixNano ?? 0);
          const micro = scaled(String(point.asDouble ?? point.asInt), 6);
          if (!series.byTime.has(at)) series.byTime.set(at, { at, micro, since });
        }
      }
    }
  }
  return [...all.values()].map(({ byTime, ...series }) => ({
    ...series,
    points: [...byTime.values()].sort((a, b) => (a.at < b.at ? -1 : 1)),
  }));
}

/** Gives what a series adds up to over [from, to). */
export function integralOf({ kind, points }: Series, from: bigint, to: bigint): bigint {
  let total = 0n;
  points.forEach((point, place) => {
    const isInside = point.at >= from && point.at < to;
    if (kind === 'delta' && isInside) total += point.micro;
    const before = points[place - 1];
    if (kind === 'cumulative' && isInside && before !== undefined) {
      const hasBegunAnew = point.micro < before.micro || (point.since > before.at && point.since < point.at);
      total += hasBegunAnew ? point.micro : point.micro - before.micro;
    }
    if (kind !== 'gauge') return;
    const next = points[place + 1]?.at ?? point.at + HOLD_NS;
    const until = next < point.at + HOLD_NS ? next : point.at + HOLD_NS;
    const held = (until < to ? until : to) - (point.at > from ? point.at : from);
    if (held > 0n) total += point.micro * (held / 1_000_000n);
  });
  return total;
}

function labelsOf(attributes: { key: string; value: Record<string, unknown> }[] = []): Map<string, string> {
  return new Map(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}

function sorted(labels: ReadonlyMap<string, string>): [string, string][] {
  return [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
}
