import type { Service } from './services.ts';

/** Text and numbers as attribute values; numbers are whole and travel as intValue. */
export type AttributeValue = string | number;
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
}

/** A simulated span before it takes the shape of a protocol. Times are microseconds since 1970 UTC. */
export interface SimulatedSpan {
  readonly service: Service;
  readonly pod: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly attributes: Attributes;
  readonly links?: readonly SpanLink[];
  readonly isError: boolean;
}
