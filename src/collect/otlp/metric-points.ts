import type { RowWriter } from '../../store/index.ts';
import type { Refusal, RefusalCount } from '../refusal.ts';
import {
  encodeSample,
  type Instant,
  type Labels,
  type Resource,
  SampleKind,
  type SeriesSource,
  sourceOf,
} from '../samples.ts';

/** What a metric holds. Both kinds of histograms have the same sums and counts. */
export type MetricData = 'gauge' | 'sum' | 'histogram' | 'summary';

/** A point as it was decoded. */
export interface Point {
  at: Instant | null;
  started: Instant;
  /** A double, or decimal text; of a histogram its sum, which may be missing. Empty for none. */
  value: number | string;
  /** Of a histogram. */
  count: string;
  flags: number;
  /** In the order of `sortedLabels`. */
  labels: Labels;
}

/** A metric as it was decoded. */
export interface Metric {
  name: string;
  data: MetricData | null;
  /** 1 is delta, 2 is cumulative. */
  temporality: unknown;
  isMonotonic: boolean;
  points: Point[];
}

const NO_INSTANT: Instant = { low: 0, high: 0 };
/** One for all: a series is known by its labels. */
const NO_LABELS: Labels = [];
/** DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK: the series ended or was not measured this time. */
const NO_VALUE = 1;
/** Under its own name a histogram's sum is found, and behind this its count. */
const COUNT = '.count';

export function newPoint(): Point {
  return { at: NO_INSTANT, started: NO_INSTANT, value: '', count: '0', flags: 0, labels: NO_LABELS };
}

/**
 * Writes the points of a metric as samples.
 *
 * Gives  how many samples were written: one for a number; for a histogram its count, and its sum where it has one.
 * Holds  a point is written whole or refused.
 */
export function writeMetric(writer: RowWriter, metric: Metric, resource: Resource, refused: RefusalCount): number {
  if (metric.data === null || metric.data === 'summary') {
    refused.add('metric_type_unsupported');
    return 0;
  }
  const kind = kindOf(metric);
  const source = sourceOf(metric.name, resource);
  const counts = metric.data === 'histogram' ? sourceOf(metric.name + COUNT, resource) : null;
  let written = 0;
  for (const point of metric.points) {
    if ((point.flags & NO_VALUE) !== 0) continue;
    const start = writer.sizeBytes;
    const refusal =
      counts === null ? writeNumber(writer, source, kind, point) : writeBoth(writer, source, counts, kind, point);
    if (refusal === null) written += counts !== null && point.value !== '' ? 2 : 1;
    else {
      writer.truncate(start);
      refused.add(refusal);
    }
  }
  return written;
}

function writeNumber(writer: RowWriter, source: SeriesSource, kind: SampleKind, point: Point): Refusal | null {
  const { at, started, value } = point;
  return at === null ? 'time_invalid' : encodeSample(writer, source, point.labels, kind, { at, started }, value);
}

function writeBoth(
  writer: RowWriter,
  sums: SeriesSource,
  counts: SeriesSource,
  kind: SampleKind,
  point: Point,
): Refusal | null {
  const refusal = writeNumber(writer, counts, kind, { ...point, value: point.count });
  return refusal ?? (point.value === '' ? null : writeNumber(writer, sums, kind, point));
}

/** A sum that may fall is a level, not a counter; a histogram's sum and count only grow. */
function kindOf({ data, temporality, isMonotonic }: Metric): SampleKind {
  if (data === 'gauge') return SampleKind.gauge;
  if (temporality === 1 || temporality === 'AGGREGATION_TEMPORALITY_DELTA') return SampleKind.delta;
  return data === 'histogram' || isMonotonic ? SampleKind.cumulative : SampleKind.gauge;
}
