import { MalformedMessage } from './proto-reader.ts';

/** The parts of OTLP/JSON that we read. Everything may be missing: it is somebody else's input. */
export interface JsonValue {
  stringValue?: unknown;
  boolValue?: unknown;
  intValue?: unknown;
  doubleValue?: unknown;
  arrayValue?: unknown;
  kvlistValue?: unknown;
  bytesValue?: unknown;
}

export interface JsonAttribute {
  key?: unknown;
  value?: JsonValue | null;
}

const UNQUOTED_LONG = /:\s*-?\d{16,}\s*[,}\]]/;
const LONG_NUMBER =
  /("(?:startTimeUnixNano|endTimeUnixNano|timeUnixNano|observedTimeUnixNano|intValue|asInt|count)"\s*:\s*)(-?\d{16,})(?![\d.eE])/g;

/**
 * Parses an OTLP/JSON request body.
 *
 * Gives  the object; 64-bit numbers that were sent without quotes become texts first, a double would round them.
 * Fails  MalformedMessage when it is not a JSON object.
 */
export function parseOtlpJson(body: Buffer): Record<string, unknown> {
  try {
    const text = body.toString('utf8');
    const exact = UNQUOTED_LONG.test(text) ? text.replace(LONG_NUMBER, '$1"$2"') : text;
    const parsed: unknown = JSON.parse(exact);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch (cause) {
    throw new MalformedMessage(`this is not JSON: ${cause instanceof Error ? cause.message.slice(0, 100) : ''}`);
  }
  throw new MalformedMessage('a JSON object is expected');
}

/** Gives a list, or an empty one when the field is absent. Fails MalformedMessage when it is something else. */
export function listOf<Item>(value: unknown, field: string): Item[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new MalformedMessage(`${field} must be a list`);
  for (const item of value) {
    if (typeof item !== 'object' || item === null) throw new MalformedMessage(`${field} must hold objects`);
  }
  return value as Item[];
}

/** Reads an unsigned 64-bit number, sent as text or number, as two halves; null when it is none. */
export function halvesOf(value: unknown): { readonly low: number; readonly high: number } | null {
  if (value === undefined || value === null) return { low: 0, high: 0 };
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) {
    const high = Math.floor(value / 2 ** 32);
    return { low: value - high * 2 ** 32, high };
  }
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) return null;
  const exact = BigInt(value);
  if (exact >= 1n << 64n) return null;
  return { low: Number(exact & 0xffff_ffffn), high: Number(exact >> 32n) };
}

/** Gives an attribute's value as text, `undefined` for lists and absent ones. */
export function valueText(value: JsonValue | null | undefined): string | undefined {
  if (!value) return undefined;
  const scalar = value.stringValue ?? value.intValue ?? value.doubleValue ?? value.boolValue;
  const type = typeof scalar;
  return type === 'string' || type === 'number' || type === 'boolean' ? String(scalar) : undefined;
}

/** How far into a list its first text is looked for. */
export const MOST_LISTED = 16;

/** Gives the first text of a list: recorded headers are lists of texts. An empty text says nothing. */
export function firstListed(value: JsonValue | null | undefined): string | undefined {
  const values = (value?.arrayValue as { values?: unknown } | null | undefined)?.values;
  const texts = Array.isArray(values)
    ? values.slice(0, MOST_LISTED).map((each) => (each as JsonValue | null)?.stringValue)
    : [];
  return texts.find((text): text is string => typeof text === 'string' && text !== '');
}
