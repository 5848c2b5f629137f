import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TraceParent } from './spans/trace-parent.ts';

/** How a framework says which route a call took: a template such as `/users/:id`; empty when none was found. */
export type RouteOf<Source> = (source: Source) => string;

/** What is kept of a call from its begin to its end. */
export class Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly startMs: number;
  /** Where its ids are: that of the trace, unless it has a parent, and in its second half that of the span. */
  readonly idPool: Buffer;
  readonly idAt: number;
  readonly parent: TraceParent | null;
  readonly source: unknown;
  readonly routeOf: RouteOf<never>;
  isAsked = false;
  isEnded = false;
  /** In which generation of tracking it is followed; -1: it is not. */
  generation = -1;
  /** Of the pieces of code that ran for it. */
  cpuMs = 0;
  retries = 0;
  /** Operations that failed in this call: doing one again is a retry. */
  failed: Set<string> | null = null;
  /** Set by a handler that knows better than the settings. */
  tenant = '';
  consumer = '';
  /** What the call really used, in the unit of its limits; null: as was asked before. */
  units: number | null = null;
  /** What the call really cost. */
  money: Money | null = null;
  reservation: Reservation | null = null;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    startMs: number,
    idPool: Buffer,
    idAt: number,
    parent: TraceParent | null,
    source: unknown,
    routeOf: RouteOf<never>,
  ) {
    this.request = request;
    this.response = response;
    this.startMs = startMs;
    this.idPool = idPool;
    this.idAt = idAt;
    this.parent = parent;
    this.source = source;
    this.routeOf = routeOf;
  }

  get traceId(): string {
    return this.parent?.traceId ?? this.idPool.toString('hex', this.idAt, this.idAt + 16);
  }

  get spanId(): string {
    return this.idPool.toString('hex', this.idAt + 8, this.idAt + 16);
  }
}

export interface Money {
  /** Decimal text. */
  readonly amount: string;
  readonly currency: string;
}

/** What was taken from the limits for a call, until it is committed or released. */
export interface Reservation {
  readonly name: string;
  readonly units: number;
}
