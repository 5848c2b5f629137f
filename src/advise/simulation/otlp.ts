import { grouped } from '../../model/index.ts';
import type { Attributes, AttributeValue, SimulatedSpan } from './span.ts';

/** The parts of OTLP/JSON that simulations use; 64-bit integers are decimal strings. */
export interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
}

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number };
}

export interface OtlpResource {
  readonly attributes: readonly KeyValue[];
}

/** ExportTraceServiceRequest. */
export interface TraceRequest {
  readonly resourceSpans: readonly {
    readonly resource: OtlpResource;
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** ExportMetricsServiceRequest. */
export interface MetricsRequest {
  readonly resourceMetrics: readonly {
    readonly resource: OtlpResource;
    readonly scopeMetrics: readonly { readonly scope: { readonly name: string }; readonly metrics: readonly Gauge[] }[];
  }[];
}

export interface Gauge {
  readonly name: string;
  readonly unit: string;
  readonly gauge: { readonly dataPoints: readonly { readonly timeUnixNano: string; readonly asDouble: number }[] };
}

export const SCOPE = { name: 'taximeter.simulation' };
const STATUS_ERROR = 2;

/** Groups spans by the pod that sent them, as a collector does. */
export function traceRequestFromSpans(spans: readonly SimulatedSpan[]): TraceRequest {
  const pods = grouped(spans, ({ pod }) => pod);
  const resourceSpans = [...pods].map(([pod, own]) => ({
    resource: resourceOf(own[0]!.service.name, pod),
    scopeSpans: [{ scope: SCOPE, spans: own.map(otlpSpan) }],
  }));
  return { resourceSpans };
}

export function resourceOf(service: string, pod: string): OtlpResource {
  return {
    attributes: keyValues({
      'service.name': service,
      'k8s.pod.name': pod,
      'k8s.namespace.name': 'shop',
      'deployment.environment.name': 'prod',
    }),
  };
}

/** Undefined members vanish in JSON, so absent is absent. */
function otlpSpan(span: SimulatedSpan): OtlpSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    traceState: span.traceState,
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: `${span.startUs}000`,
    endTimeUnixNano: `${span.endUs}000`,
    attributes: keyValues(span.attributes),
    links: span.links,
    status: span.isError ? { code: STATUS_ERROR } : {},
  };
}

function keyValues(attributes: Attributes): KeyValue[] {
  const given = Object.entries(attributes).filter((entry): entry is [string, AttributeValue] => entry[1] !== undefined);
  return given.map(([key, value]) =>
    typeof value === 'string' ? { key, value: { stringValue: value } } : { key, value: { intValue: String(value) } },
  );
}
