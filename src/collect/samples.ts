import { hash } from 'node:crypto';
import { parseDecimal } from '../model/index.ts';
import { RowWriter } from '../store/index.ts';
import { tenantKeys } from './otlp/attributes.ts';
import { safeConsumer, safeLabel } from './privacy.ts';
import type { Refusal } from './refusal.ts';
import { textPlace } from './table/text-place.ts';

export const SampleKind = { gauge: 0, delta: 1, cumulative: 2 } as const;
export type SampleKind = (typeof SampleKind)[keyof typeof SampleKind];

/** Sorted pairs of name and value text: what tells one series from another. */
export type Labels = readonly (readonly [key: string, value: string])[];

/** What a metric and a resource have in common for all of their points. */
export interface SeriesSource {
  readonly metric: string;
  /** What the name of every series of it begins with. */
  readonly identity: string;
  readonly service: string;
  readonly pod: string;
  /** Empty where a point may say it, or nobody does. */
  readonly tenant: string;
  /** Of each set of labels seen before: what is the same in all samples of that series. */
  readonly heads: Map<Labels, SeriesBytes>;
  readonly memory: SeriesMemory;
}

/** How a sample begins, and how it ends: with its tenant, where there is one. */
interface SeriesBytes {
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** How many metrics and series are remembered, so that whoever keeps resources knows when to let go of them. */
export interface SeriesMemory {
  count: number;
}

/** Nanoseconds since 1970 in two halves. */
export interface Instant {
  readonly low: number;
  readonly high: number;
}

/** When a point was measured, and since when its counter counts: zero where the sender does not say. */
export interface PointTimes {
  readonly at: Instant;
  readonly started: Instant;
}

const LARGEST_VALUE = 10n ** 36n;
/** Metrics and series of one memory; further ones are worked out each time. */
export const MOST_REMEMBERED = 50_000;
const KIND_TIME_VALUE_BYTES = 25;
/** Kind, time, value, start. */
const FIXED_BYTES = KIND_TIME_VALUE_BYTES + 8;
/** Later clocks are broken, and the engine's times end in 2262. */
const NEWEST_HIGH = Math.floor((Date.UTC(2106, 0) * 1e6) / 2 ** 32);

/**
 * Writes one metric point with its length in front.
 *
 * Takes  point: sorted; the same array again is the same series. value: a double, or the decimal text of a number.
 * Gives  null when it was written, else why it is refused.
 * Holds  the value is kept as whole millionths, rounded half-even from its shortest text.
 */
export function encodeSample(
  writer: RowWriter,
  source: SeriesSource,
  point: Labels,
  kind: SampleKind,
  { at, started }: PointTimes,
  value: number | string,
): Refusal | null {
  if ((at.low === 0 && at.high === 0) || at.high > NEWEST_HIGH) return 'time_invalid';
  const micro = (typeof value === 'number' ? quickMillionths(value) : null) ?? exactMillionths(String(value));
  if (micro === null) return 'value_invalid';
  let bytes = source.heads.get(point);
  if (bytes === undefined) {
    bytes = { head: headOf(source, point), tail: tailOf(source, point) };
    if (source.memory.count < MOST_REMEMBERED) source.heads.set(point, bytes);
    source.memory.count += 1;
  }
  const { head, tail } = bytes;
  writer.u32(head.length + FIXED_BYTES + tail.length);
  writer.copy(head, 0, head.length);
  writer.u8(kind);
  writer.u64halves(at.low, at.high);
  if (typeof micro === 'number') writer.i128whole(micro);
  else writer.i128(micro);
  writer.u64halves(started.low, started.high > NEWEST_HIGH ? 0 : started.high);
  writer.copy(tail, 0, tail.length);
  return null;
}

/** Metric, series, service and pod. */
function headOf(source: SeriesSource, point: Labels): Buffer {
  const writer = new RowWriter(128);
  const own = source.service === '' && source.pod === '' ? ownerOf(point) : source;
  writer.text(source.metric);
  writer.raw(seriesId(source, point));
  writer.text(own.service);
  writer.text(own.pod);
  return Buffer.from(writer.bytes());
}

/** The tenant of a series; nothing where there is none. */
function tailOf(source: SeriesSource, point: Labels): Buffer {
  const tenant = tenantOf(point) || source.tenant;
  if (tenant === '') return Buffer.alloc(0);
  const writer = new RowWriter(64);
  writer.text(tenant);
  return Buffer.from(writer.bytes());
}

function exactMillionths(text: string): bigint | null {
  const micro = parseDecimal(text, 6);
  if (micro === null || micro === 'too large') return null;
  return micro.value > LARGEST_VALUE || micro.value < -LARGEST_VALUE ? null : micro.value;
}

/**
 * The millionths of a double without its text, where they are sure to be the same: the shortest text differs from the double
 * by less than the double's last bit, and what that is worth here stays far from the half that decides.
 */
export function quickMillionths(value: number): number | null {
  const scaled = value * 1_000_000;
  if (Number.isInteger(value)) return Math.abs(scaled) <= Number.MAX_SAFE_INTEGER ? scaled : null;
  if (!(Math.abs(scaled) < 2 ** 46)) return null;
  const below = Math.floor(scaled);
  const rest = scaled - below;
  if (Math.abs(rest - 0.5) < 2 ** -5) return null;
  return rest < 0.5 ? below : below + 1;
}

/** Where the parts of one written sample stand: texts as start and end, the others by their first byte. */
export interface SamplePlaces {
  readonly metric: readonly [number, number];
  readonly service: readonly [number, number];
  readonly pod: readonly [number, number];
  /** 16 bytes. */
  readonly series: number;
  readonly kind: number;
  /** 8 bytes of nanoseconds. */
  readonly at: number;
  /** 16 bytes of millionths. */
  readonly value: number;
  /** 8 bytes of nanoseconds; -1 for a sample of an older version, which did not keep it. */
  readonly started: number;
  /** Null where nobody says it, and for a sample of an older version. */
  readonly tenant: readonly [number, number] | null;
}

/** Finds the samples that `encodeSample` wrote one behind the other. */
export function* samplesIn(bytes: Buffer): Iterable<SamplePlaces> {
  let at = 0;
  const text = () => {
    const place = textPlace(bytes, at);
    at = place[1];
    return place;
  };
  while (at < bytes.length) {
    const end = at + 4 + bytes.readUInt32LE(at);
    at += 4;
    const metric = text();
    const series = at;
    at += 16;
    const [service, pod] = [text(), text()];
    const started = end > at + KIND_TIME_VALUE_BYTES ? at + KIND_TIME_VALUE_BYTES : -1;
    const tenant = started >= 0 && end > started + 8 ? textPlace(bytes, started + 8) : null;
    yield { metric, series, service, pod, kind: at, at: at + 1, value: at + 9, started, tenant };
    at = end;
  }
}

/** 128 bits of a cryptographic hash over length-prefixed parts, so that no two series can be made to collide by their text. */
function seriesId(source: SeriesSource, point: Labels): Buffer {
  const name = source.identity + labelsText(point);
  const known = knownIds.get(name);
  if (known !== undefined) return known;
  const id = hash('sha256', name, 'buffer').subarray(0, 16);
  if (knownIds.size >= MOST_KNOWN) knownIds.clear();
  knownIds.set(name, id);
  return id;
}

/** Senders report the same series every minute, and hashing is most of the work on a point. */
const knownIds = new Map<string, Buffer>();
const MOST_KNOWN = 20_000;

/** Written out for most texts, which are plain: their bytes are their characters. */
function part(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) >= 0x80) return `${Buffer.byteLength(text)}:${text}`;
  }
  return `${text.length}:${text}`;
}

function labelsText(labels: Labels): string {
  let text = `${labels.length};`;
  for (const [key, value] of labels) text += part(key) + part(value);
  return text;
}

/** Puts labels into the one order that a series has. */
export function sortedLabels(labels: Labels): Labels {
  return labels.length < 2 ? labels : [...labels].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** What the metrics of one resource have in common. */
export interface Resource {
  readonly text: string;
  readonly service: string;
  readonly pod: string;
  readonly tenant: string;
  /** Its metrics seen before, by name. */
  readonly sources: Map<string, SeriesSource>;
  readonly memory: SeriesMemory;
}

/** Where a resource names neither service nor pod, a point may do so itself. */
export function resourceOf(labels: Labels, memory: SeriesMemory = { count: 0 }): Resource {
  const text = labelsText(sortedLabels(labels));
  return { text, ...ownerOf(labels), tenant: tenantOf(labels), sources: new Map(), memory };
}

export function sourceOf(metric: string, resource: Resource): SeriesSource {
  const { text, service, pod, tenant, sources, memory } = resource;
  const known = sources.get(metric);
  if (known !== undefined) return known;
  const identity = part(metric) + text;
  const source = { metric: safeLabel(metric), identity, service, pod, tenant, heads: new Map(), memory };
  if (memory.count < MOST_REMEMBERED) sources.set(metric, source);
  memory.count += 1;
  return source;
}

/** Which tenant a measurement names: the attributes that spans name theirs by, in their order. */
function tenantOf(labels: Labels): string {
  for (const key of tenantKeys)
    for (const [name, value] of labels) if (name === key && value !== '') return safeConsumer(value);
  return '';
}

const podKeys = ['k8s.pod.name', 'container.name'];
/** What runs without a pod and without a name for its service still has one. */
const programKeys = ['faas.name', 'process.executable.name'];

/** Whose a measurement is. */
function ownerOf(labels: Labels): { readonly service: string; readonly pod: string } {
  const first = (keys: readonly string[]) => {
    for (const key of keys) for (const [name, value] of labels) if (name === key && value !== '') return value;
    return '';
  };
  const [service, pod] = [first(['service.name']), first(podKeys)];
  const program = service === '' && pod === '' ? first(programKeys) : service;
  return { service: safeLabel(program), pod: safeLabel(pod) };
}
