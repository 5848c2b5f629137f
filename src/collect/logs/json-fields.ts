import { BAD_TIME, isPlausible, NO_TIME } from './calendar.ts';
import { ClfClock } from './clf-clock.ts';
import { IsoClock } from './iso-clock.ts';
import { lineParser } from './line-parser.ts';
import type { LineParser, Parsed } from './log-line.ts';
import { epochUs } from './quantities.ts';
import { present } from './text-fields.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const DEEPEST = 32;
/** So few brackets cannot be deep; most lines need no second look. */
const FEW = 64;

/** Makes a parser of what reads one JSON object. */
export function jsonParser(read: (fields: JsonObject) => Parsed): LineParser {
  return lineParser((text) => {
    const fields = parseObject(text);
    return fields ? read(fields) : 'line_malformed';
  });
}

/** Reads one line as a JSON object; null when it is none or is nested deeper than any log. */
function parseObject(text: string): JsonObject | null {
  if (text.charCodeAt(0) !== 123 || isDeep(text)) return null;
  return tryParse(text) ?? (text.includes('\\x') ? tryParse(withJsonEscapes(text)) : null);
}

function tryParse(text: string): JsonObject | null {
  try {
    return asObject(JSON.parse(text)) ?? null;
  } catch {
    return null;
  }
}

/** nginx without `escape=json` writes `\x22`, which JSON does not know. */
function withJsonEscapes(text: string): string {
  return text.replace(/\\(\\|x([\dA-Fa-f]{2}))/g, (whole, _, hex?: string) => (hex ? `\\u00${hex}` : whole));
}

function isDeep(text: string): boolean {
  let brackets = 0;
  for (let at = text.indexOf('{'); at >= 0 && brackets <= FEW; at = text.indexOf('{', at + 1)) brackets += 1;
  for (let at = text.indexOf('['); at >= 0 && brackets <= FEW; at = text.indexOf('[', at + 1)) brackets += 1;
  return brackets > FEW && depthOf(text) > DEEPEST;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) isText = !isText;
    else if (code === 92 && isText) at += 1;
    else if (!isText && (code === 123 || code === 91)) deepest = Math.max(deepest, ++depth);
    else if (!isText && (code === 125 || code === 93)) depth -= 1;
  }
  return deepest;
}

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** The text of a field, the first of a list; numbers are written out; `-`, nothing and null are absent. */
export function textOf(value: unknown): string | undefined {
  const one = Array.isArray(value) ? value[0] : value;
  if (typeof one === 'number') return String(one);
  return typeof one === 'string' ? present(one) : undefined;
}

/** The first field of several names that has a text. */
export function firstText(fields: JsonObject, ...names: string[]): string | undefined {
  for (const name of names) {
    const text = textOf(fields[name]);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** A header by its name in small letters, however the server wrote it. */
export function headerOf(headers: unknown, name: string): string | undefined {
  const all = asObject(headers) ?? {};
  const key = name in all ? name : Object.keys(all).find((each) => each.toLowerCase() === name);
  return key === undefined ? undefined : textOf(all[key]);
}

const iso = new IsoClock();
const clf = new ClfClock();

/**
 * Reads a time however a server writes it: RFC 3339, the common log format, a number since 1970.
 *
 * Gives  microseconds since 1970; a negative number when there is none or it is not plausible.
 */
export function instantOf(...values: readonly unknown[]): number {
  let worst = NO_TIME;
  for (const value of values) {
    if (value === undefined || value === null || value === '-' || value === '') continue;
    const us = typeof value === 'number' ? epochUs(value) : instantOfText(String(value).trim());
    if (isPlausible(us)) return us;
    worst = Math.min(worst, us >= 0 || us === BAD_TIME ? BAD_TIME : NO_TIME);
  }
  return worst;
}

function instantOfText(text: string): number {
  const plain = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  const us = iso.readAll(plain);
  if (us !== NO_TIME) return us;
  const clfUs = clf.read(plain, 0);
  return clfUs === NO_TIME || clf.end !== plain.length ? epochUs(plain) : clfUs;
}

/** What to answer for a line whose time cannot be used. */
export function timeRefusal(tsUs: number): 'line_malformed' | 'time_invalid' {
  return tsUs === NO_TIME ? 'line_malformed' : 'time_invalid';
}
