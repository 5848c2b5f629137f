/** How calls could be fewer. A closed set. */
export const wasteKinds = ['cacheable', 'polling', 'bulk', 'composite'] as const;
export type WasteKind = (typeof wasteKinds)[number];

/** How sure it is that the calls were for nothing: what they said is not kept, only how large it was and with which status. */
export const certainties = ['certain', 'likely', 'possible'] as const;
export type Certainty = (typeof certainties)[number];

/** Reads of one consumer at one endpoint. `...Micro` are calls by weight, in millionths. */
export interface Reads {
  readonly tenant: string;
  readonly consumer: string;
  readonly endpoint: string;
  readonly calls: number;
  readonly micro: bigint;
  /** Answered with 304. */
  readonly notModified: number;
  /** How many sizes answers had. */
  readonly sizes: number;
  /** 304, or as large as the answer before. */
  readonly unchanged: number;
  readonly unchangedMicro: bigint;
  /** 304, or as large as an answer of the last five minutes. */
  readonly repeats: number;
  readonly repeatsMicro: bigint;
  readonly medianIntervalMs: number;
  /** Share of intervals within a fifth of the median. */
  readonly steadyShare: number;
}

/** Bursts of writes of one consumer at one endpoint. */
export interface Bursts {
  readonly tenant: string;
  readonly consumer: string;
  readonly endpoint: string;
  readonly bursts: number;
  readonly calls: number;
  readonly micro: bigint;
  readonly largest: number;
  /** Calls that said that they carried one record. */
  readonly said: number;
  readonly savedMicro: bigint;
}

/** The same steps again and again, by consumers of one tenant. */
export interface Visits {
  readonly tenant: string;
  readonly steps: readonly string[];
  readonly times: number;
  /** Visits of the tenant, whichever their steps. */
  readonly visits: number;
  readonly calls: number;
  readonly micro: bigint;
  readonly consumers: number;
  /** All calls but the first of each visit. */
  readonly saved: readonly { readonly endpoint: string; readonly micro: bigint }[];
}

export interface Traffic {
  readonly reads: readonly Reads[];
  readonly bursts: readonly Bursts[];
  readonly visits: readonly Visits[];
}

/** Calls that a tenant could do without. */
export interface Waste {
  readonly tenant: string;
  readonly kind: WasteKind;
  /** In their order for `composite`; otherwise one. */
  readonly endpoints: readonly string[];
  readonly consumers: number;
  /** Calls that were looked at for it, and those that would not be needed, by weight in millionths. */
  readonly micro: bigint;
  readonly saved: readonly { readonly endpoint: string; readonly micro: bigint }[];
  readonly certainty: Certainty;
  /** What was seen, in words with figures. */
  readonly evidence: string;
}

const LEAST_CALLS = 20;
const LEAST_TIMES = 10;
const percent = (share: number) => `${Math.round(share * 100)} %`;
const seconds = (ms: number) => `${Number((ms / 1000).toFixed(ms < 10_000 ? 1 : 0))} s`;

/**
 * Finds calls that a tenant could do without. Pure.
 *
 * Gives  at most one waste for each tenant, kind and endpoint or sequence; those that save most first.
 * Holds  nothing saves more calls than were looked at; each kind has seeded traffic with precision and recall. A call can be in a
 *        `composite` and in another one: savings of these two do not add up.
 */
export function findPatterns({ reads, bursts, visits }: Traffic): Waste[] {
  const found = [
    ...together(reads.filter(isPolling), pollingOf),
    ...together(
      reads.filter((each) => !isPolling(each) && isCacheable(each)),
      cacheableOf,
    ),
    ...together(
      bursts.filter(({ calls }) => calls >= LEAST_CALLS),
      bulkOf,
    ),
    ...visits.filter(isChatty).map(compositeOf),
  ];
  const order = ({ tenant, kind, endpoints }: Waste) => JSON.stringify([tenant, kind, endpoints]);
  return found.sort((a, b) => Number(savedOf(b) - savedOf(a)) || (order(a) < order(b) ? -1 : 1));
}

/** How many calls would not be needed, in millionths. */
export function savedOf({ saved }: Waste): bigint {
  return saved.reduce((sum, { micro }) => sum + micro, 0n);
}

function isPolling({ calls, unchanged, steadyShare }: Reads): boolean {
  return calls >= LEAST_CALLS && steadyShare >= 0.7 && unchanged >= 0.8 * calls;
}

/** Of a path with placeholders nobody knows which thing was read: sizes must tell things apart before the same size means the same thing. */
function isCacheable({ calls, repeats, notModified, sizes, endpoint }: Reads): boolean {
  const isTold = !hasPlaceholder(endpoint) || sizes >= 3 || notModified >= repeats / 2;
  return isTold && repeats >= LEAST_TIMES && repeats >= 0.3 * calls;
}

function hasPlaceholder(endpoint: string): boolean {
  return endpoint.includes('{');
}

function isChatty({ steps, times, visits }: Visits): boolean {
  return steps.length <= 6 && new Set(steps).size >= 2 && times >= LEAST_TIMES && times >= 0.2 * visits;
}

/** Puts what consumers of a tenant do at the same endpoint together. */
function together<Each extends { readonly tenant: string; readonly endpoint: string }>(
  all: readonly Each[],
  wasteOf: (parts: readonly Each[]) => Waste,
): Waste[] {
  const groups = new Map<string, Each[]>();
  for (const each of all) {
    const key = JSON.stringify([each.tenant, each.endpoint]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].map(wasteOf);
}

const sum = <Each>(parts: readonly Each[], of: (part: Each) => number) => parts.reduce((so, part) => so + of(part), 0);
const sumMicro = <Each>(parts: readonly Each[], of: (part: Each) => bigint) =>
  parts.reduce((so, part) => so + of(part), 0n);

function pollingOf(parts: readonly Reads[]): Waste {
  const { tenant, endpoint } = parts[0]!;
  const [calls, unchanged, notModified] = [
    sum(parts, (part) => part.calls),
    sum(parts, (part) => part.unchanged),
    sum(parts, (part) => part.notModified),
  ];
  const slowest = Math.max(...parts.map(({ medianIntervalMs }) => medianIntervalMs));
  const fastest = Math.min(...parts.map(({ medianIntervalMs }) => medianIntervalMs));
  const every = seconds(fastest) === seconds(slowest) ? seconds(fastest) : `${seconds(fastest)} to ${seconds(slowest)}`;
  return {
    ...{ tenant, kind: 'polling', endpoints: [endpoint], consumers: parts.length },
    micro: sumMicro(parts, (part) => part.micro),
    saved: [{ endpoint, micro: sumMicro(parts, (part) => part.unchangedMicro) }],
    certainty: certaintyOf(endpoint, notModified / Math.max(1, unchanged)),
    evidence: `asked every ${every}; ${percent(unchanged / calls)} of ${calls} answers were unchanged (${sameness(notModified, unchanged)})`,
  };
}

function cacheableOf(parts: readonly Reads[]): Waste {
  const { tenant, endpoint } = parts[0]!;
  const [calls, repeats, notModified] = [
    sum(parts, (part) => part.calls),
    sum(parts, (part) => part.repeats),
    sum(parts, (part) => part.notModified),
  ];
  return {
    ...{ tenant, kind: 'cacheable', endpoints: [endpoint], consumers: parts.length },
    micro: sumMicro(parts, (part) => part.micro),
    saved: [{ endpoint, micro: sumMicro(parts, (part) => part.repeatsMicro) }],
    certainty: certaintyOf(endpoint, notModified / Math.max(1, repeats)),
    evidence: `${repeats} of ${calls} reads came within 5 minutes of one of the same consumer with the same answer (${sameness(notModified, repeats)})`,
  };
}

/** Told by 304: certain. By size: the less so, the less of the request is known. */
function certaintyOf(endpoint: string, notModifiedShare: number): Certainty {
  if (notModifiedShare >= 0.9) return 'certain';
  return hasPlaceholder(endpoint) ? 'possible' : 'likely';
}

function sameness(notModified: number, all: number): string {
  if (notModified === 0) return 'told by the size of the answers';
  if (notModified >= all) return 'told by status 304';
  return `${notModified} told by status 304, the others by the size of the answers`;
}

function bulkOf(parts: readonly Bursts[]): Waste {
  const { tenant, endpoint } = parts[0]!;
  const [calls, count, said] = [
    sum(parts, (part) => part.calls),
    sum(parts, (part) => part.bursts),
    sum(parts, (part) => part.said),
  ];
  const largest = Math.max(...parts.map((part) => part.largest));
  return {
    ...{ tenant, kind: 'bulk', endpoints: [endpoint], consumers: parts.length },
    micro: sumMicro(parts, (part) => part.micro),
    saved: [{ endpoint, micro: sumMicro(parts, (part) => part.savedMicro) }],
    certainty: said === calls ? 'certain' : 'likely',
    evidence: `${calls} writes of one record in ${count} bursts with less than 2 s between them, the largest of ${largest}`,
  };
}

function compositeOf({ tenant, steps, times, calls, micro, consumers, saved }: Visits): Waste {
  return {
    ...{ tenant, kind: 'composite', endpoints: steps, consumers, micro, saved, certainty: 'likely' },
    evidence: `the same ${steps.length} steps ${times} times, each within 2 s of the one before, ${Number((calls / times).toFixed(1))} calls each time`,
  };
}
