import type { IncomingMessage } from 'node:http';
import type { Call } from './call.ts';
import type { Ask } from './limits/limit-asks.ts';
import type { TrackingMode } from './measure/call-tracking.ts';
import type { Loss } from './outbox/outbox.ts';

/** What may be set. Only `service` must be. */
export interface TaximeterOptions {
  /** The name of this program: `service.name`. */
  readonly service: string;
  /** More about it, such as `service.version`, `k8s.pod.name`, `cloud.region`. */
  readonly resource?: Readonly<Record<string, string>>;
  /** Taximeter's API; http://127.0.0.1:4700. */
  readonly url?: string;
  /** Where it takes spans; http://127.0.0.1:4318. */
  readonly otlpUrl?: string;
  /** TAXIMETER_TOKEN of the server, where it has one. */
  readonly token?: string;
  /** Who pays for a call: a header that your gateway sets, in small letters, or a function that is asked when it is needed. */
  readonly tenant?: string | ((request: IncomingMessage, source: unknown) => string);
  /** Who calls, inside the tenant; likewise. */
  readonly consumer?: string | ((request: IncomingMessage, source: unknown) => string);
  /** Asks before a call is let in. Left out: calls are only measured. */
  readonly limits?: LimitOptions;
  readonly measure?: MeasureOptions;
  readonly outbox?: OutboxOptions;
  /** Something went wrong that is tried again, or that calls do not hear of. */
  readonly onProblem?: (message: string) => void;
  /** Spans were given up. */
  readonly onLoss?: (loss: Loss) => void;
}

export interface LimitOptions {
  /** `check` counts at once; `reserve` holds until the call has ended, and then takes what it used. `check`. */
  readonly mode?: 'check' | 'reserve';
  /** What happens to calls while Taximeter does not answer: they pass, or get a 503. `open`. */
  readonly onFailure?: 'open' | 'closed';
  /** How long a call waits for the answer; 250. */
  readonly timeoutMs?: number;
  /** After this long a reservation that nobody ended is given back; 60. */
  readonly ttlSeconds?: number;
  /** What is asked, where it is more than tenant, consumer and endpoint: a cost, money, an organisation. */
  readonly ask?: (call: Call) => Partial<Ask>;
  /** Of a call that was reserved for: whether its reservation is given back. Where the status is 500 or above, or the caller went away before the answer. */
  readonly releases?: (status: number | null) => boolean;
}

export interface MeasureOptions {
  /** Whose CPU time and outbound calls are told apart; `auto`. */
  readonly tracking?: TrackingMode;
  /** Whether requests to others are reported; true. */
  readonly outbound?: boolean;
  /** Whether a `traceparent` of the caller is followed, so that calls between own services count once; true. Switch it off where anybody can send one. */
  readonly followsTrace?: boolean;
  /** Which hosts may learn the ids of traces, with their ports; none. Of fetch and undici only. */
  readonly tellsTraceTo?: (host: string) => boolean;
}

export interface OutboxOptions {
  /** Where spans wait; ./taximeter-outbox. On a disk that outlives the process. */
  readonly folder?: string;
  /** All that may wait; 256 MiB. */
  readonly mostBytes?: number;
  /** What gives way when it is full; `oldest`. */
  readonly whenFull?: 'oldest' | 'newest';
  /** A request has about so many bytes, and up to 256 KiB more; 512 KiB. */
  readonly fileBytes?: number;
  /** How long spans are gathered; 1000. */
  readonly sendEveryMs?: number;
  readonly timeoutMs?: number;
  /** Which thread reads files and sends them: one of its own, or the one that answers calls; `worker`. */
  readonly sendsIn?: 'worker' | 'main';
  /** Between attempts, doubled each time and spread; 500 and 30000. */
  readonly backoff?: { readonly baseMs: number; readonly mostMs: number };
}
