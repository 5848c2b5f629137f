import { createHash } from 'node:crypto';
import { parseDecimal } from '../model/index.ts';
import type { RowWriter } from '../store/index.ts';
import { safeLabel } from './privacy.ts';
import type { Refusal } from './refusal.ts';

export const SampleKind = { gauge: 0, delta: 1, cumulative: 2 } as const;
export type SampleKind = (typeof SampleKind)[keyof typeof SampleKind];

/** Sorted pairs of name and value text: what tells one series from another. */
export type Labels = readonly (readonly [key: string, value: string])[];

/** What a metric and a resource have in common for all of their points. */
export interface SeriesSource {
  readonly metric: string;
  readonly resource: Labels;
  readonly service: string;
  readonly pod: string;
}

const LARGEST_VALUE = 10n ** 36n;

/**
 * Writes one metric point with its length in front.
 *
 * Takes  value: decimal text of a double or an integer. atLow, atHigh: nanoseconds since 1970.
 * Gives  null when it was written, else why it is refused.
 * Holds  the value is kept as whole millionths, rounded half-even from its shortest text.
 */
export function encodeSample(
  writer: RowWriter,
  source: SeriesSource,
  point: Labels,
  kind: SampleKind,
  at: { readonly low: number; readonly high: number },
  value: string,
): Refusal | null {
  if (at.low === 0 && at.high === 0) return 'time_invalid';
  const micro = parseDecimal(value, 6);
  if (micro === null || micro === 'too large') return 'value_invalid';
  if (micro.value > LARGEST_VALUE || micro.value < -LARGEST_VALUE) return 'value_invalid';
  const lengthAt = writer.sizeBytes;
  writer.u32(0);
  writer.text(source.metric);
  writer.raw(seriesId(source, point));
  writer.text(source.service);
  writer.text(source.pod);
  writer.u8(kind);
  writer.u64halves(at.low, at.high);
  writer.i128(micro.value);
  writer.patchU32(lengthAt, writer.sizeBytes - lengthAt - 4);
  return null;
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
}

/** Finds the samples that `encodeSample` wrote one behind the other. */
export function* samplesIn(bytes: Buffer): Iterable<SamplePlaces> {
  let at = 0;
  const text = (): [number, number] => {
    let [length, scale] = [0, 1];
    for (; bytes.readUInt8(at) >= 0x80; at++, scale *= 128) length += (bytes[at]! & 0x7f) * scale;
    length += bytes[at++]! * scale;
    at += length;
    return [at - length, at];
  };
  while (at < bytes.length) {
    at += 4;
    const metric = text();
    const series = at;
    at += 16;
    const [service, pod] = [text(), text()];
    yield { metric, series, service, pod, kind: at, at: at + 1, value: at + 9 };
    at += 25;
  }
}

/** 128 bits of a cryptographic hash over length-prefixed parts, so that no two series can be made to collide by their text. */
function seriesId(source: SeriesSource, point: Labels): Buffer {
  const hash = createHash('sha256');
  const part = (text: string) => hash.update(`${Buffer.byteLength(text)}:`).update(text);
  part(source.metric);
  for (const labels of [source.resource, point]) {
    hash.update(`${labels.length};`);
    for (const [key, value] of labels) {
      part(key);
      part(value);
    }
  }
  return hash.digest().subarray(0, 16);
}

/** Puts labels into the one order that a series has. */
export function sortedLabels(labels: Labels): Labels {
  return [...labels].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Service and pod of a resource; a point may name the pod itself. */
export function sourceOf(metric: string, resource: Labels): SeriesSource {
  const label = (key: string) => resource.find(([name]) => name === key)?.[1] ?? '';
  return {
    metric: safeLabel(metric),
    resource,
    service: safeLabel(label('service.name')),
    pod: safeLabel(label('k8s.pod.name')),
  };
}
