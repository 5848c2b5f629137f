import type { IncomingMessage } from 'node:http';

/** Which span of somebody else a call is below. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;

/**
 * Reads a `traceparent`.
 *
 * Gives  null when it is none; two of them are none.
 * From   W3C Trace Context: version ff and ids of zeros are invalid, version 00 has four parts.
 */
export function parseTraceParent(value: string): TraceParent | null {
  const [, version, traceId = '', spanId = '', more] = FORM.exec(value) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return null;
  return /^0+$/.test(traceId) || /^0+$/.test(spanId) ? null : { traceId, spanId };
}

/** The value of a header that comes once, without making an object of all headers; null when it is absent or comes twice. */
export function rawHeader({ rawHeaders }: IncomingMessage, name: string): string | null {
  let value: string | null = null;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const each = rawHeaders[at]!;
    if (each.length !== name.length || (each !== name && each.toLowerCase() !== name)) continue;
    if (value !== null) return null;
    value = rawHeaders[at + 1]!;
  }
  return value;
}
