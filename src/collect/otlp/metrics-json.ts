import type { RowWriter } from '../../store/index.ts';
import { RefusalCount } from '../refusal.ts';
import { resourceOf, sortedLabels } from '../samples.ts';
import { halvesOf, type JsonAttribute, listOf, parseOtlpJson, valueText } from './json.ts';
import { type Metric, type MetricData, newPoint, type Point, writeMetric } from './metric-points.ts';
import type { Decoded } from './traces-protobuf.ts';

interface JsonPoint {
  startTimeUnixNano?: unknown;
  timeUnixNano?: unknown;
  asDouble?: unknown;
  asInt?: unknown;
  sum?: unknown;
  count?: unknown;
  flags?: unknown;
  attributes?: unknown;
}

type JsonData = { dataPoints?: unknown; aggregationTemporality?: unknown; isMonotonic?: unknown } | null | undefined;

const dataFields: readonly (readonly [field: string, data: MetricData])[] = [
  ['gauge', 'gauge'],
  ['sum', 'sum'],
  ['histogram', 'histogram'],
  ['exponentialHistogram', 'histogram'],
  ['summary', 'summary'],
];

/**
 * Decodes an OTLP/JSON ExportMetricsServiceRequest into samples.
 *
 * Gives  how many samples were written, and how many points were refused, by reason. Summaries are refused.
 * Fails  MalformedMessage when the body is not such a message.
 */
export function decodeMetricsJson(body: Buffer, writer: RowWriter): Decoded {
  const refused = new RefusalCount();
  let accepted = 0;
  for (const resourceMetrics of listOf<Record<string, unknown>>(
    parseOtlpJson(body).resourceMetrics,
    'resourceMetrics',
  )) {
    const resource = resourceOf(labelsOf((resourceMetrics.resource as { attributes?: unknown } | null)?.attributes));
    for (const scopeMetrics of listOf<Record<string, unknown>>(resourceMetrics.scopeMetrics, 'scopeMetrics')) {
      for (const metric of listOf<Record<string, unknown>>(scopeMetrics.metrics, 'metrics')) {
        accepted += writeMetric(writer, metricOf(metric), resource, refused);
      }
    }
  }
  return { accepted, refused };
}

function metricOf(json: Record<string, unknown>): Metric {
  const name = typeof json.name === 'string' ? json.name : '';
  const [field, data] = dataFields.find(([each]) => json[each]) ?? ['', null];
  const held = json[field] as JsonData;
  const points = data === null || data === 'summary' ? [] : listOf<JsonPoint>(held?.dataPoints, 'dataPoints');
  return {
    ...{ name, data, temporality: held?.aggregationTemporality, isMonotonic: held?.isMonotonic === true },
    points: points.map((point) => pointOf(point, data === 'histogram')),
  };
}

function pointOf(json: JsonPoint, isHistogram: boolean): Point {
  return {
    at: halvesOf(json.timeUnixNano),
    started: halvesOf(json.startTimeUnixNano) ?? newPoint().started,
    value: numberText(isHistogram ? json.sum : (json.asDouble ?? json.asInt)),
    count: json.count === undefined || json.count === null ? '0' : numberText(json.count),
    flags: typeof json.flags === 'number' ? json.flags : 0,
    labels: sortedLabels(labelsOf(json.attributes)),
  };
}

function numberText(value: unknown): string {
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '';
}

function labelsOf(attributes: unknown): [string, string][] {
  return listOf<JsonAttribute>(attributes, 'attributes').flatMap(({ key, value }) => {
    const text = valueText(value);
    return text === undefined ? [] : [[typeof key === 'string' ? key : '', text] satisfies [string, string]];
  });
}
