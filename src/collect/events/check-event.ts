import { MILLIS_PER_HOUR, NANOS_PER_MILLI, parseInstant } from '../../model/index.ts';
import { memberOf, withExactNumbers } from './json-spans.ts';
import type { MeterEvent } from './meter-event.ts';

/** One thing wrong with an event. `field` is empty where it is the whole. */
export interface EventProblem {
  readonly field: string;
  readonly message: string;
}

export type CheckedEvent = { readonly event: MeterEvent } | { readonly problems: readonly EventProblem[] };

type JsonObject = Readonly<Record<string, unknown>>;

/** Characters, not bytes. */
const longest = { id: 512, source: 1024, type: 256, subject: 1024, dataschema: 2048, data: 65_536 } as const;
type TextField = Exclude<keyof typeof longest, 'data'>;

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.(\d{1,9})\d*)?(?:Z|[+-]\d{2}:\d{2})$/i;
const AHEAD_MS = 30 * 24 * MILLIS_PER_HOUR;
const [FIRST_MS, LAST_MS] = [Date.UTC(2000, 0), Date.UTC(2106, 0)];
// biome-ignore lint/suspicious/noControlCharactersInRegex: CloudEvents has none of them in its attributes.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Checks one event and finds everything that is wrong with it.
 *
 * Takes  value: as JSON.parse gave it. text: it was parsed from; at: of its opening bracket there.
 * Gives  the event with its data as sent, or what is wrong. Attributes that are not known are left out.
 */
export function checkEvent(value: unknown, text: string, at: number, nowMs: number): CheckedEvent {
  if (!isObject(value)) return { problems: [{ field: '', message: 'must be an object' }] };
  const check = new EventCheck(value);
  const event: MeterEvent = {
    id: check.required('id'),
    source: check.required('source'),
    type: check.required('type'),
    subject: check.required('subject'),
    time: check.time(nowMs),
    dataschema: check.optional('dataschema'),
    ...check.data(text, at),
  };
  check.form();
  return check.problems.length > 0 ? { problems: check.problems } : { event };
}

class EventCheck {
  readonly problems: EventProblem[] = [];
  readonly #value: JsonObject;

  constructor(value: JsonObject) {
    this.#value = value;
  }

  required(field: TextField): string {
    const value = this.#value[field];
    if (value === undefined || value === null || value === '') return this.#wrong(field, 'is missing', '');
    return this.#text(field, value);
  }

  optional(field: TextField): string {
    const value = this.#value[field];
    return value === undefined || value === null ? '' : this.#text(field, value);
  }

  time(nowMs: number): bigint {
    const { time } = this.#value;
    if (time === undefined || time === null) return BigInt(nowMs) * NANOS_PER_MILLI;
    const match = typeof time === 'string' ? RFC3339.exec(time) : null;
    const ms = match === null ? null : millisOf(match[0]);
    if (match === null || ms === null) return this.#wrong('time', 'is no RFC 3339 time', 0n);
    if (ms < FIRST_MS || ms >= LAST_MS) return this.#wrong('time', 'lies outside the years 2000 to 2105', 0n);
    if (ms > nowMs + AHEAD_MS) return this.#wrong('time', 'lies more than 30 days ahead', 0n);
    const belowMilli = Number((match[1] ?? '').padEnd(9, '0').slice(3));
    return BigInt(ms) * NANOS_PER_MILLI + BigInt(belowMilli);
  }

  data(text: string, at: number): { readonly data: string; readonly exact: string } {
    const value = this.#value.data;
    const none = { data: '', exact: '' };
    if (this.#value.data_base64 !== undefined) return this.#wrong('data_base64', 'is not taken; send data', none);
    if (value === undefined || value === null) return none;
    if (!isObject(value)) return this.#wrong('data', 'must be an object', none);
    const { from, to } = memberOf(text, at, 'data')!;
    if (to - from > longest.data) return this.#wrong('data', `is longer than ${longest.data} characters`, none);
    const data = text.slice(from, to);
    if (data.includes('\\u') && hasBrokenText(value)) return this.#wrong('data', 'holds NUL or half a character', none);
    return { data, exact: withExactNumbers(data) };
  }

  form(): void {
    const { specversion, datacontenttype } = this.#value;
    if (specversion !== '1.0') this.#wrong('specversion', 'must be "1.0"', null);
    if (datacontenttype === undefined || datacontenttype === null) return;
    const type = typeof datacontenttype === 'string' ? datacontenttype.split(';', 1)[0]!.trim().toLowerCase() : '';
    if (type !== 'application/json') this.#wrong('datacontenttype', 'must be application/json', null);
  }

  #text(field: TextField, value: unknown): string {
    if (typeof value !== 'string') return this.#wrong(field, 'must be a text', '');
    if (value.length > longest[field]) return this.#wrong(field, `is longer than ${longest[field]} characters`, '');
    if (CONTROL.test(value) || !isWhole(value)) return this.#wrong(field, 'holds control or half characters', '');
    return value;
  }

  #wrong<T>(field: string, message: string, instead: T): T {
    this.problems.push({ field, message });
    return instead;
  }
}

function millisOf(text: string): number | null {
  try {
    return parseInstant(text.toUpperCase().replace(/(\.\d{9})\d+/, '$1'));
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** JSON can write halves of characters, which no UTF-8 text can hold. */
function isWhole(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

/** The depth of what comes here is bounded. */
function hasBrokenText(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0') || !isWhole(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => hasBrokenText(name) || hasBrokenText(inner));
}
