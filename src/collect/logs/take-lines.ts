import { isAscii } from 'node:buffer';
import type { Decoded } from '../otlp/traces-protobuf.ts';
import { type Refusal, RefusalCount } from '../refusal.ts';
import type { LogIntake } from './log-intake.ts';
import type { LineRefusal, LogFormat, Parsed } from './log-line.ts';
import type { LogSource } from './log-source.ts';

/** A line that is not what it should be, counted from 1 in what was sent. */
export interface MalformedLine {
  readonly line: number;
  readonly refusal: Refusal;
  /** In words. */
  readonly reason: string;
}

export interface DecodedLines extends Decoded {
  /** The first ones; the count by reason has them all. */
  readonly malformed: readonly MalformedLine[];
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Of one request; more than these are counted only. */
export const MOST_MALFORMED = 10_000;

/** A stretch of a log, and how it is to be read. */
export interface LogPart {
  readonly source: LogSource;
  readonly format: LogFormat;
  /** Of the stretch's first byte in the whole log. */
  readonly offset: number;
  /** The log's first lines, where they say how to read the others. */
  readonly head: string | undefined;
  /** False where a Boundary says that another source counts these calls. */
  readonly isCounted: boolean;
}

/** Why a line that is a call is not counted. */
type OwnRefusal = 'tenant_unknown' | 'counted_elsewhere';

/**
 * Takes whole lines into a table.
 *
 * Takes  intake: is begun here; gets a row for each call. body: UTF-8.
 * Gives  what was accepted, and the lines (counted from 1 in this body) that were not.
 */
export function takeLines(intake: LogIntake, body: Buffer, log: LogPart): DecodedLines {
  const parser = log.format.open(log.head);
  const plain = log.isCounted && intake.takesPlain(log.source) ? log.format.plain?.() : undefined;
  const refused = new RefusalCount();
  const malformed: MalformedLine[] = [];
  let [accepted, line] = [0, 0];
  intake.begin();
  const text = plain === undefined && isAscii(body) ? body.toString('latin1') : null;
  for (let at = 0, next = 0; at < body.length; at = next + 1) {
    const found = body.indexOf(LINE_FEED, at);
    next = found < 0 ? body.length : found;
    const end = next > at && body[next - 1] === CARRIAGE_RETURN ? next - 1 : next;
    line += 1;
    if (plain?.read(body, at, end) && intake.addPlain(plain.line, log.source, log.offset + at, body, at, end)) {
      accepted += 1;
      continue;
    }
    // Where all is ASCII, a place in the text is a place in the bytes.
    const raw = text === null ? body.toString('utf8', at, end) : text.slice(at, end);
    const refusal = refusalOf(intake, parser.parse(raw), log, at, raw);
    if (refusal === null) accepted += 1;
    else if (refusal !== 'header') {
      refused.add(refusal);
      if (malformed.length < MOST_MALFORMED) malformed.push({ line, refusal, reason: lineReasons[refusal] });
    }
  }
  return { accepted, refused, malformed };
}

/** Adds a line that is a call. Gives  null when it is in the table, else why not. */
function refusalOf(intake: LogIntake, parsed: Parsed, log: LogPart, at: number, raw: string) {
  if (typeof parsed === 'string') return parsed;
  if (!log.isCounted) return 'counted_elsewhere';
  return intake.add(parsed, log.source, log.offset + at, raw) ? null : 'tenant_unknown';
}

/** What is wrong with a line, in words. */
const lineReasons: Readonly<Record<LineRefusal | OwnRefusal, string>> = {
  counted_elsewhere: 'a Boundary says that the calls of its service are counted by traces',
  tenant_unknown: 'no rule says whose call it is',
  line_malformed: 'not a line of this format',
  line_too_long: 'longer than 65,536 characters',
  time_invalid: 'its time is none, or lies outside the years 1990 to 2105',
  value_invalid: 'a number in it is none, or too large',
  header_missing: 'the line with the names of the columns is missing',
  record_other: 'a record of another kind',
};
