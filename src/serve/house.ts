import type { Collector, Quarantine, Retention } from '../collect/index.ts';
import type { KeptPrices } from '../ledger/index.ts';
import type { DriftWatch, Limiter } from '../limit/index.ts';
import type { Store } from '../store/index.ts';
import type { Bodies } from './bodies.ts';
import type { LimitHeaderKind } from './limits/rate-limit-headers.ts';
import type { Reports } from './reports/reports.ts';
import type { Sessions } from './sessions.ts';
import type { SyslogCounts } from './syslog/counts.ts';

/** What the API answers from: the rooms, opened. */
export interface House {
  readonly version: string;
  /** The data folder. */
  readonly folder: string;
  readonly store: Store;
  readonly collector: Collector;
  /** Where the lines stand that were refused. */
  readonly quarantine: Quarantine;
  /** What is kept how long. */
  readonly retention: Retention;
  readonly now: () => Date;
  readonly limits: Limits;
  readonly bodies: Bodies;
  /** Null when no token is set: then nobody has to sign in. */
  readonly sessions: Sessions | null;
  readonly limiter: Limiter;
  /** What calls cost by the rates, for limits of money. */
  readonly prices: KeptPrices;
  /** Counters of limits beside calls. */
  readonly drift: DriftWatch;
  /** What answers say of limits in their header. */
  readonly limitHeaders: readonly LimitHeaderKind[];
  readonly syslog: SyslogCounts;
  /** What is sent by schedule. */
  readonly reports: Reports;
  /** Where they are; an empty text for one that is off. */
  readonly listeners: { readonly api: string; readonly otlp: string; readonly otlpGrpc: string };
  readonly log: Log;
}

export interface Limits {
  /** Of one request body, also after it was unpacked. */
  readonly bodyBytes: number;
  /** Of one uploaded bill file. */
  readonly uploadBytes: number;
}

export interface Log {
  info(message: string, facts?: Record<string, unknown>): void;
  warn(message: string, facts?: Record<string, unknown>): void;
  error(message: string, facts?: Record<string, unknown>): void;
}
