import { measures, type SpanTable } from '../table/span-table.ts';
import type { StoredVersion } from './versions.ts';

/** The columns of a row's body: everything but batch, sign and day. Two equal bodies are the same statement about a span. */
export const bodyColumns: readonly string[] = [
  ...['call_trace', 'call_span', 'is_call', 'share', 'tenant', 'endpoint', 'consumer', 'resolver'],
  ...['busy_us', 'db_calls', 'db_us', 'ext_calls', 'ext_us', 'is_reversed'],
  ...['segment', 'position', 'namespace', 'trace_id', 'span_id', 'parent_id', 'origin', 'kind', 'start_at', 'end_at'],
  ...['is_timed', 'weight', 'is_weight_known', 'service', 'pod', 'name', 'peer', 'is_db', 'own_endpoint', 'status'],
  ...['is_error', 'own_tenant', 'own_resolver', 'resource_tenant', 'resource_resolver', 'own_consumer'],
  ...['call_kind', 'region', 'version', 'flags'],
  ...measures,
  'links',
  ...['repeats_tokens', 'is_retry'],
];

/**
 * Nets stored versions, given as sign and body in RowBinary.
 *
 * Gives  the bodies in force; one that was written twice and taken back once is there once.
 */
export function netBodies(answers: readonly Buffer[]): Buffer[] {
  return netVersions(answers).inForce;
}

/** The same, and the bodies that were taken back more often than written: what they correct was let go. */
export function netVersions(answers: readonly Buffer[]): { inForce: Buffer[]; unmatched: Buffer[] } {
  const counts = new Map<string, { net: number; readonly body: Buffer }>();
  for (const bytes of answers) {
    const reader = new BodyReader(bytes);
    while (reader.at < bytes.length) {
      const sign = bytes.readInt8(reader.at++);
      const start = reader.at;
      reader.skip();
      const body = bytes.subarray(start, reader.at);
      const key = body.toString('latin1');
      const entry = counts.get(key) ?? { net: 0, body };
      entry.net += sign;
      counts.set(key, entry);
    }
  }
  const all = [...counts.values()];
  return {
    inForce: all.flatMap(({ net, body }) => Array.from({ length: Math.max(0, net) }, () => body)),
    unmatched: all.flatMap(({ net, body }) => (net < 0 ? [body] : [])),
  };
}

/** Adds a stored row to a table. Takes  body: as `bodyColumns` name it. */
export function appendBody(table: SpanTable, body: Buffer): StoredVersion {
  return new BodyReader(body).into(table);
}

class BodyReader {
  at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skip(): void {
    this.at += 16 + 8 + 1 + 8;
    for (let text = 0; text < 4; text++) this.#skipText();
    this.at += 8 + 1 + 8 + 1 + 8 + 1 + 8 + 4;
    this.#skipText();
    this.at += 16 + 8 + 8 + 2 + 16 + 1 + 8 + 1;
    for (let text = 0; text < 4; text++) this.#skipText();
    this.at += 1;
    this.#skipText();
    this.at += 3;
    for (let text = 0; text < 9; text++) this.#skipText();
    for (let measure = 0; measure < measures.length; measure++) this.at += this.#bytes[this.at] === 1 ? 1 : 9;
    const links = this.#varint();
    this.at += links * 24 + 2;
  }

  into(table: SpanTable): StoredVersion {
    const row = table.reserve(1);
    const version = {
      ...{ row, call: this.#words(6), isCall: this.#u8(), share: this.#u64() },
      ...{ tenant: this.#text(table), endpoint: this.#text(table), consumer: this.#text(table) },
      ...{ resolver: this.#text(table), busyUs: this.#u64(), isDbCall: this.#u8(), dbUs: this.#u64() },
      ...{ isExternal: this.#u8(), extUs: this.#u64(), isReversed: this.#u8() },
    };
    table.segment[row] = this.#u64();
    table.position[row] = this.#words(1)[0]!;
    table.namespace[row] = this.#text(table);
    table.trace.set(this.#words(4), row * 4);
    table.span.set(this.#words(2), row * 2);
    table.parent.set(this.#words(2), row * 2);
    table.origin[row] = this.#u8();
    table.kind[row] = this.#u8();
    table.start.set(this.#words(2), row * 2);
    table.end.set(this.#words(2), row * 2);
    table.isTimed[row] = this.#u8();
    table.weight.set(this.#words(2), row * 2);
    table.isWeightKnown[row] = this.#u8();
    for (const column of [table.service, table.pod, table.name, table.peer]) column[row] = this.#text(table);
    table.isDb[row] = this.#u8();
    table.endpoint[row] = this.#text(table);
    table.status[row] = this.#u8() + this.#u8() * 256;
    table.isError[row] = this.#u8();
    const {
      tenant,
      resolver,
      resourceTenant,
      resourceResolver,
      consumer,
      callKind,
      region,
      version: built,
      flags,
    } = table;
    const texts = [tenant, resolver, resourceTenant, resourceResolver, consumer, callKind, region, built, flags];
    for (const column of texts) column[row] = this.#text(table);
    for (let which = 0; which < measures.length; which++) if (this.#u8() === 0) table.measure(which, row, this.#u64());
    const links = this.#varint();
    if (links > 0) table.links.set(row, this.#words(links * 6));
    return { ...version, repeatsTokens: this.#u8(), isRetry: this.#u8() };
  }

  #u8(): number {
    return this.#bytes[this.at++]!;
  }

  #u64(): number {
    this.at += 8;
    return this.#bytes.readUInt32LE(this.at - 8) + this.#bytes.readUInt32LE(this.at - 4) * 2 ** 32;
  }

  #words(count: number): Uint32Array {
    const words = Uint32Array.from({ length: count }, (_, word) => this.#bytes.readUInt32LE(this.at + word * 4));
    this.at += count * 4;
    return words;
  }

  #varint(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.#bytes.readUInt8(this.at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  #text(table: SpanTable): number {
    const length = this.#varint();
    this.at += length;
    return table.texts.idOf(this.#bytes, this.at - length, this.at);
  }

  #skipText(): void {
    const length = this.#varint();
    this.at += length;
  }
}
