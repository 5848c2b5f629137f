import { createHash } from 'node:crypto';
import type { RowWriter } from '../../store/index.ts';
import { textPlace } from '../table/text-place.ts';

/** An event as it is kept: a CloudEvent of which everything that counts was checked. */
export interface MeterEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly dataschema: string;
  /** The JSON object as it was sent; empty without one. */
  readonly data: string;
  /** The same with long numbers as texts; empty where that would change nothing. */
  readonly exact: string;
}

/**
 * The identity of an event: 128 bits of SHA-256 over namespace, source and id, each with its length in front.
 *
 * Holds  its time is not part of it; parts that only look the same when joined are different.
 * From   docs/decisions/0011-events-are-known-by-source-and-id.md
 */
export function eventHash(namespace: string, source: string, id: string): Buffer {
  const hash = createHash('sha256');
  for (const part of [namespace, source, id]) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest().subarray(0, 16);
}

/**
 * Writes one event for the journal.
 *
 * Takes  arrivedMs: milliseconds since 1970. identity: the event as it was sent, where its texts are not kept.
 */
export function encodeEvent(
  writer: RowWriter,
  event: MeterEvent,
  namespace: string,
  arrivedMs: number,
  identity: Pick<MeterEvent, 'source' | 'id'> = event,
): void {
  writer.raw(eventHash(namespace, identity.source, identity.id));
  writer.i64(BigInt(arrivedMs));
  writer.i64(event.time);
  for (const name of eventTexts) writer.text(event[name]);
}

/** The texts of an event in the order in which they are written. */
export const eventTexts = ['type', 'subject', 'id', 'source', 'dataschema', 'data', 'exact'] as const;

/** Where the parts of one written event stand: texts as start and end, the others by their first byte. */
export interface EventPlaces {
  readonly bytes: Buffer;
  /** 16 bytes. */
  readonly hash: number;
  /** 8 bytes of milliseconds. */
  readonly arrived: number;
  /** 8 bytes of nanoseconds. */
  readonly time: number;
  /** In the order of `eventTexts`. */
  readonly texts: readonly (readonly [number, number])[];
}

/** Finds the events that `encodeEvent` wrote one behind the other. */
export function* eventsIn(bytes: Buffer): Iterable<EventPlaces> {
  let at = 0;
  const text = () => {
    const place = textPlace(bytes, at);
    at = place[1];
    return place;
  };
  while (at < bytes.length) {
    const hash = at;
    at += 32;
    yield { bytes, hash, arrived: hash + 16, time: hash + 24, texts: eventTexts.map(text) };
  }
}
