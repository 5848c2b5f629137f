import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Messages of Envoy's two services, as far as they are read and written. Field numbers are those of envoy/service/ratelimit/v3/rls.proto and envoy/service/auth/v3/external_auth.proto. */

export interface Descriptor {
  readonly entries: Readonly<Record<string, string>>;
  /** Null where the request's holds. */
  readonly hits: number | null;
  readonly isNegative: boolean;
}

export interface RateLimitRequest {
  readonly domain: string;
  readonly descriptors: readonly Descriptor[];
  readonly hits: number;
}

type Readers = Readonly<Record<number, (reader: BinaryReader, wireType: WireType) => void>>;

/** Reads the fields that are asked for, and passes over the others. Fails  with an error where the bytes are no message. */
function readMessage(reader: BinaryReader, end: number, readers: Readers): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    const read = readers[field];
    if (read === undefined) reader.skip(wireType, field);
    else read(reader, wireType);
  }
  if (reader.pos !== end) throw new RangeError('a message ends within a field');
}

function nested(reader: BinaryReader, readers: Readers): void {
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new RangeError('a message ends early');
  readMessage(reader, end, readers);
}

/** A whole number that may be beyond what a double holds: it is too many in any case. */
function count(reader: BinaryReader): number {
  return Number(reader.uint64());
}

export function readRateLimitRequest(bytes: Uint8Array): RateLimitRequest {
  const reader = new BinaryReader(bytes);
  let [domain, hits] = ['', 0];
  const descriptors: Descriptor[] = [];
  readMessage(reader, reader.len, {
    1: () => (domain = reader.string()),
    2: () => descriptors.push(readDescriptor(reader)),
    3: () => (hits = reader.uint32()),
  });
  return { domain, descriptors, hits };
}

function readDescriptor(reader: BinaryReader): Descriptor {
  const entries: Record<string, string> = Object.create(null) as Record<string, string>;
  let hits: number | null = null;
  let isNegative = false;
  nested(reader, {
    1: () => {
      let [key, value] = ['', ''];
      nested(reader, { 1: () => (key = reader.string()), 2: () => (value = reader.string()) });
      entries[key] = value;
    },
    3: () => {
      hits = 0;
      nested(reader, { 1: () => (hits = count(reader)) });
    },
    4: () => (isNegative = reader.bool()),
  });
  return { entries, hits, isNegative };
}

export interface CheckRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What Envoy's configuration says for a route; a client cannot set it. */
  readonly extensions: Readonly<Record<string, string>>;
}

export function readCheckRequest(bytes: Uint8Array): CheckRequest {
  const reader = new BinaryReader(bytes);
  let [method, path] = ['', ''];
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  const extensions: Record<string, string> = Object.create(null) as Record<string, string>;
  const pair = (into: Record<string, string>) => {
    let [key, value] = ['', ''];
    nested(reader, { 1: () => (key = reader.string()), 2: () => (value = reader.string()) });
    into[key.toLowerCase()] = value;
  };
  const http: Readers = {
    2: () => (method = reader.string()),
    3: () => pair(headers),
    4: () => (path = reader.string()),
  };
  const attributes: Readers = {
    4: () => nested(reader, { 2: () => nested(reader, http) }),
    10: () => pair(extensions),
  };
  readMessage(reader, reader.len, { 1: () => nested(reader, attributes) });
  return { method, path, headers, extensions };
}

/** Of a rate limit's answer. */
export const CODE = { ok: 1, overLimit: 2 } as const;
export const UNIT = { unknown: 0, second: 1, minute: 2, hour: 3, day: 4, month: 5, year: 6 } as const;

export interface DescriptorStatus {
  readonly code: number;
  readonly limit: { readonly name: string; readonly requests: number; readonly unit: number } | null;
  readonly remaining: number;
  readonly resetUs: number;
}

const LARGEST_UINT32 = 0xffff_ffff;

/** Counts on this wire have 32 bits: what is more is said to be as much as fits. */
export function saturated(value: number): number {
  return value >= LARGEST_UINT32 ? LARGEST_UINT32 : Math.max(0, Math.floor(value));
}

export function writeRateLimitResponse(
  code: number,
  statuses: readonly DescriptorStatus[],
  headers: Readonly<Record<string, string>>,
): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.Varint).int32(code);
  for (const status of statuses) {
    writer.tag(2, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).int32(status.code);
    if (status.limit !== null) {
      const { requests, unit, name } = status.limit;
      writer.tag(2, WireType.LengthDelimited).fork();
      writer.tag(1, WireType.Varint).uint32(saturated(requests)).tag(2, WireType.Varint).int32(unit);
      writer.tag(3, WireType.LengthDelimited).string(name).join();
    }
    writer.tag(3, WireType.Varint).uint32(saturated(status.remaining));
    const seconds = Math.floor(status.resetUs / 1e6);
    writer.tag(4, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).int64(String(seconds));
    writer.tag(2, WireType.Varint).int32(Math.round(status.resetUs % 1e6) * 1000);
    writer.join().join();
  }
  for (const [key, value] of Object.entries(headers)) writeHeader(writer.tag(3, WireType.LengthDelimited), key, value);
  return writer.finish();
}

function writeHeader(writer: BinaryWriter, key: string, value: string): void {
  writer.fork().tag(1, WireType.LengthDelimited).string(key).tag(2, WireType.LengthDelimited).string(value).join();
}

/** gRPC's codes of a decision: OK lets pass. */
export const RPC = { ok: 0, permissionDenied: 7, resourceExhausted: 8 } as const;

export function writeCheckResponse(
  denied: { readonly rpc: number; readonly http: number; readonly body: string } | null,
  headers: Readonly<Record<string, string>>,
): Uint8Array {
  const writer = new BinaryWriter().tag(1, WireType.LengthDelimited).fork();
  writer
    .tag(1, WireType.Varint)
    .int32(denied?.rpc ?? RPC.ok)
    .join();
  writer.tag(denied === null ? 3 : 2, WireType.LengthDelimited).fork();
  if (denied !== null) writer.tag(1, WireType.LengthDelimited).fork().tag(1, WireType.Varint).int32(denied.http).join();
  // Of an answer that lets pass, those for the client have another number than those for the server behind.
  for (const [key, value] of Object.entries(headers)) {
    writer
      .tag(denied === null ? 6 : 2, WireType.LengthDelimited)
      .fork()
      .tag(1, WireType.LengthDelimited);
    writeHeader(writer, key, value);
    writer.join();
  }
  if (denied !== null) writer.tag(3, WireType.LengthDelimited).string(denied.body);
  return writer.join().finish();
}
