import { NO_TIME } from './calendar.ts';
import { ClfClock } from './clf-clock.ts';
import type { LogLine } from './log-line.ts';
import { joined, type Piece, type Slot } from './pattern-piece.ts';
import { count, epochUs, microseconds, PER_MILLISECOND, PER_SECOND, statusCode } from './quantities.ts';
import { addRequestText, addTargetText } from './request-line.ts';
import { firstAddress, present } from './text-fields.ts';

type Setter = (line: LogLine, text: string) => void;

/** Directives without an argument. From https://httpd.apache.org/docs/current/mod/mod_log_config.html */
const directives: Readonly<Record<string, Setter | null>> = {
  h: (line, text) => (line.clientIp = present(text)),
  a: (line, text) => (line.clientIp = present(text)),
  u: (line, text) => (line.user = present(text)),
  r: addRequestText,
  s: (line, text) => (line.status = statusCode(text)),
  b: (line, text) => (line.bytesOut = count(text)),
  B: (line, text) => (line.bytesOut = count(text)),
  O: (line, text) => (line.bytesOut ??= count(text)),
  I: (line, text) => (line.bytesIn = count(text)),
  D: (line, text) => (line.durationUs = microseconds(text, 1)),
  T: (line, text) => (line.durationUs ??= microseconds(text, PER_SECOND)),
  m: (line, text) => (line.method = present(text)),
  U: (line, text) => (line.path ??= present(text)),
  'U%q': addTargetText,
  q: (line, text) => (line.query = present(text.replace(/^\?/, ''))),
  H: (line, text) => (line.protocol = present(text)),
  v: (line, text) => (line.host ??= present(text)),
  V: (line, text) => (line.host ??= present(text)),
  ...Object.fromEntries([...'lALfkpPRSX'].map((name) => [name, null])),
};

const headers: Readonly<Record<string, Setter>> = {
  'user-agent': (line, text) => (line.userAgent = present(text)),
  host: (line, text) => (line.host = present(text)),
  'x-forwarded-for': (line, text) => (line.clientIp ??= firstAddress(text)),
  'x-request-id': (line, text) => (line.requestId = present(text)),
  'content-length': (line, text) => (line.bytesIn ??= count(text)),
};

const durations: Readonly<Record<string, number>> = { us: 1, ms: PER_MILLISECOND, s: PER_SECOND };

/** `%U%q` is one target. */
const DIRECTIVE = /(%%|%(?:!?\d{3}(?:,\d{3})*)?[<>]?(?:U%q|\{[^}]*\}(?:\^t[io]|[A-Za-z])|[A-Za-z]))/;

/**
 * Cuts the text of a `LogFormat` into pieces, with or without the backslashes of the configuration file.
 *
 * Takes  problems: gets a sentence for each directive that is not known.
 */
export function apachePieces(text: string, problems: string[]): Piece[] {
  const plain = text.trim().replaceAll('\\"', '"').replaceAll('\\t', '\t');
  const parts = plain.split(DIRECTIVE).filter((part) => part !== '');
  const pieces = parts.map((part) => (part.length > 1 && part.startsWith('%') ? pieceOf(part, problems) : part));
  return joined(pieces);
}

function pieceOf(text: string, problems: string[]): Piece {
  if (text === '%%') return '%';
  const match = /^%(?:!?[\d,]+)?[<>]?(?:\{([^}]*)\})?(.+)$/.exec(text)!;
  const slot = slotOf(match[1], match[2]!);
  if (slot) return { ...slot, name: text };
  problems.push(`the pattern has ${text}, which is not known`);
  return { name: text };
}

function slotOf(argument: string | undefined, letter: string): Omit<Slot, 'name'> | null {
  if (letter === 't') return timeSlot(argument);
  if (argument === undefined)
    return Object.hasOwn(directives, letter) ? { set: directives[letter] ?? undefined } : null;
  const perUnit = letter === 'T' ? durations[argument] : undefined;
  if (letter === 'T') return perUnit ? { set: (line, text) => (line.durationUs = microseconds(text, perUnit)) } : null;
  if (letter === 'i') return { set: headers[argument.toLowerCase()], isList: /forwarded/i.test(argument) };
  if (letter === 'a' || letter === 'h') return { set: (line, text) => (line.clientIp ??= present(text)) };
  return /^(?:[aheonCpPL]|\^t[io])$/.test(letter) ? {} : null;
}

const epochs = ['sec', 'msec', 'usec'];

/** `%t` stands in brackets; `%{sec}t` and its like count from 1970; other forms of strftime are not read. */
function timeSlot(argument: string | undefined): Omit<Slot, 'name'> | null {
  const form = argument?.replace(/^(?:begin|end):?/, '') ?? '';
  if (epochs.includes(form)) return { time: (text) => orNoTime(epochUs(text)) };
  if (form !== '') return null;
  const clock = new ClfClock();
  return {
    end: (text, from) => text.indexOf(']', from) + 1 || -1,
    time(text) {
      const tsUs = text.startsWith('[') && text.endsWith(']') ? clock.read(text, 1) : NO_TIME;
      return tsUs >= 0 && clock.end !== text.length - 1 ? NO_TIME : tsUs;
    },
  };
}

const orNoTime = (us: number) => (Number.isNaN(us) ? NO_TIME : us);
