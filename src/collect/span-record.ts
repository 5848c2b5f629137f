import { measures } from './work-row.ts';

/** One received span as assembly sees it: the fields it decides by, and the bytes it copies. */
export interface SpanRecord {
  readonly buffer: Buffer;
  /** Where the sent part of the row stands in the buffer. */
  readonly sentAt: number;
  readonly sentEnd: number;
  /** Where trace id and span id stand in the buffer, one behind the other. */
  readonly idsAt: number;
  readonly segment: number;
  readonly position: number;
  /** Namespace and trace id; spans with the same key are one trace. */
  readonly traceKey: string;
  /** 8 bytes as latin1. */
  readonly spanKey: string;
  /** 8 bytes as latin1; empty for no parent. */
  readonly parentKey: string;
  readonly origin: number;
  readonly kind: number;
  /** Nanoseconds since 1970 in two halves. */
  readonly startLow: number;
  readonly startHigh: number;
  readonly endLow: number;
  readonly endHigh: number;
  readonly isTimed: boolean;
  readonly weight: number;
  readonly service: string;
  readonly isDb: boolean;
  readonly endpoint: string;
  readonly tenant: string;
  readonly resolver: string;
  readonly resourceTenant: string;
  readonly resourceResolver: string;
  readonly consumer: string;
  /** Trace key and span key of each link. */
  readonly links: readonly SpanLink[];
}

export interface SpanLink {
  readonly traceKey: string;
  readonly spanKey: string;
}

const MOST_INTERNED = 100_000;
const interned = new Map<string, string>();

/** Texts repeat in every span; one copy of each keeps memory small and comparisons quick. */
function intern(text: string): string {
  const known = interned.get(text);
  if (known !== undefined) return known;
  if (interned.size >= MOST_INTERNED) interned.clear();
  interned.set(text, text);
  return text;
}

/** Reads rows one after another from a buffer. */
export class RecordReader {
  readonly buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at = 0) {
    this.buffer = buffer;
    this.at = at;
  }

  get isDone(): boolean {
    return this.at >= this.buffer.length;
  }

  u32(): number {
    const value = this.buffer.readUInt32LE(this.at);
    this.at += 4;
    return value;
  }

  u64(): number {
    const value = this.buffer.readUInt32LE(this.at) + this.buffer.readUInt32LE(this.at + 4) * 2 ** 32;
    this.at += 8;
    return value;
  }

  fixed(length: number): string {
    const text = this.buffer.toString('latin1', this.at, this.at + length);
    this.at += length;
    return text;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (this.at >= this.buffer.length) throw new RangeError('a row breaks off');
      const byte = this.buffer[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  text(): string {
    const length = this.varint();
    if (length === 0) return '';
    const text = this.buffer.toString('utf8', this.at, this.at + length);
    this.at += length;
    return text;
  }

  skipText(): void {
    const length = this.varint();
    this.at += length;
  }

  /** Reads the sent part of a row; the next read stands behind it. */
  sent(segment: number, position: number): SpanRecord {
    const { buffer, at: sentAt } = this;
    const namespace = this.text();
    const idsAt = this.at;
    const traceKey = this.fixed(16) + namespace;
    const spanKey = this.fixed(8);
    const parent = this.fixed(8);
    const origin = buffer[this.at++]!;
    const kind = buffer[this.at++]!;
    const startLow = buffer.readUInt32LE(this.at);
    const startHigh = buffer.readUInt32LE(this.at + 4);
    const endLow = buffer.readUInt32LE(this.at + 8);
    const endHigh = buffer.readUInt32LE(this.at + 12);
    this.at += 16;
    const isTimed = buffer[this.at++] === 1;
    const weight = this.u64();
    this.at += 1;
    const service = intern(this.text());
    this.skipText();
    this.skipText();
    this.skipText();
    const isDb = buffer[this.at++] === 1;
    const endpoint = intern(this.text());
    this.at += 3;
    const tenant = intern(this.text());
    const resolver = intern(this.text());
    const resourceTenant = intern(this.text());
    const resourceResolver = intern(this.text());
    const consumer = this.text();
    for (let i = 0; i < measures.length; i++) this.at += buffer[this.at] === 1 ? 1 : 9;
    const links = this.#links(namespace);
    return {
      buffer,
      sentAt,
      sentEnd: this.at,
      idsAt,
      segment,
      position,
      traceKey,
      spanKey,
      parentKey: parent === NO_ID ? '' : parent,
      origin,
      kind,
      startLow,
      startHigh,
      endLow,
      endHigh,
      isTimed,
      weight,
      service,
      isDb,
      endpoint,
      tenant,
      resolver,
      resourceTenant,
      resourceResolver,
      consumer,
      links,
    };
  }

  #links(namespace: string): readonly SpanLink[] {
    const count = this.varint();
    if (count === 0) return noLinks;
    return Array.from({ length: count }, () => ({ traceKey: this.fixed(16) + namespace, spanKey: this.fixed(8) }));
  }

  /** Reads only which trace a sent row belongs to; the next read stands somewhere inside of it. */
  traceKey(): string {
    const namespace = this.text();
    return this.fixed(16) + namespace;
  }

  /** Reads a whole row's body: what was decided is passed over, it will be decided again. */
  body(): SpanRecord {
    this.at += 16 + 8 + 1 + 8;
    for (let i = 0; i < 4; i++) this.skipText();
    this.at += 8 + 1 + 8 + 1 + 8 + 1;
    const segment = this.u64();
    const position = this.u32();
    return this.sent(segment, position);
  }
}

const NO_ID = '\0'.repeat(8);
const noLinks: readonly SpanLink[] = [];
