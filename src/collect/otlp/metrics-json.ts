import type { RowWriter } from '../../store/index.ts';
import { RefusalCount } from '../refusal.ts';
import { encodeSample, type Labels, SampleKind, sortedLabels, sourceOf } from '../samples.ts';
import { halvesOf, type JsonAttribute, listOf, parseOtlpJson, valueText } from './json.ts';
import type { Decoded } from './traces-protobuf.ts';

interface JsonPoint {
  timeUnixNano?: unknown;
  asDouble?: unknown;
  asInt?: unknown;
  attributes?: unknown;
}

interface JsonMetric {
  name?: unknown;
  gauge?: { dataPoints?: unknown };
  sum?: { dataPoints?: unknown; aggregationTemporality?: unknown; isMonotonic?: unknown };
  [other: string]: unknown;
}

/**
 * Decodes an OTLP/JSON ExportMetricsServiceRequest into samples.
 *
 * Gives  how many points were written, and how many were refused, by reason. Histograms and summaries are refused.
 * Fails  MalformedMessage when the body is not such a message.
 */
export function decodeMetricsJson(body: Buffer, writer: RowWriter): Decoded {
  const refused = new RefusalCount();
  let accepted = 0;
  for (const resourceMetrics of listOf<Record<string, unknown>>(
    parseOtlpJson(body).resourceMetrics,
    'resourceMetrics',
  )) {
    const resource = labelsOf((resourceMetrics.resource as { attributes?: unknown } | undefined)?.attributes);
    for (const scopeMetrics of listOf<Record<string, unknown>>(resourceMetrics.scopeMetrics, 'scopeMetrics')) {
      for (const metric of listOf<JsonMetric>(scopeMetrics.metrics, 'metrics')) {
        accepted += decodeMetric(metric, resource, writer, refused);
      }
    }
  }
  return { accepted, refused };
}

function decodeMetric(metric: JsonMetric, resource: Labels, writer: RowWriter, refused: RefusalCount): number {
  const source = sourceOf(typeof metric.name === 'string' ? metric.name : '', resource);
  const points = listOf<JsonPoint>(metric.gauge?.dataPoints ?? metric.sum?.dataPoints, 'dataPoints');
  if (!metric.gauge && !metric.sum) {
    refused.add('metric_type_unsupported');
    return 0;
  }
  const kind = metric.sum
    ? kindOfSum(metric.sum.aggregationTemporality, metric.sum.isMonotonic === true)
    : SampleKind.gauge;
  let accepted = 0;
  for (const point of points) {
    const at = halvesOf(point.timeUnixNano);
    const value = point.asDouble ?? point.asInt;
    const refusal = at
      ? encodeSample(writer, source, labelsOf(point.attributes), kind, at, numberText(value))
      : ('time_invalid' as const);
    if (refusal) refused.add(refusal);
    else accepted += 1;
  }
  return accepted;
}

function numberText(value: unknown): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '';
}

/** 1 is delta, 2 is cumulative; a sum that may fall is a level, not a counter. */
export function kindOfSum(temporality: unknown, isMonotonic: boolean): SampleKind {
  if (temporality === 1 || temporality === 'AGGREGATION_TEMPORALITY_DELTA') return SampleKind.delta;
  return isMonotonic ? SampleKind.cumulative : SampleKind.gauge;
}

function labelsOf(attributes: unknown): Labels {
  const labels = listOf<JsonAttribute>(attributes, 'attributes').flatMap(({ key, value }) => {
    const text = valueText(value);
    return text === undefined ? [] : [[typeof key === 'string' ? key : '', text] as const];
  });
  return sortedLabels(labels);
}
