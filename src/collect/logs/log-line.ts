import type { PlainReader } from './plain-line.ts';

/** What a call was, where the log says so. */
export type CallKind = 'rest' | 'soap' | 'bulk' | 'graphql' | 'grpc' | 'webhook' | 'websocket';

/** One call, as a line of an access log tells of it. Absent is absent: `-` and missing fields are undefined, never zero. */
export interface LogLine {
  /** Whole microseconds since 1970 UTC; finer digits are cut off. */
  tsUs: number;
  method?: string;
  /** As logged: no query, nothing decoded. */
  path?: string;
  /** As logged, without the question mark. */
  query?: string;
  status?: number;
  bytesIn?: number;
  bytesOut?: number;
  durationUs?: number;
  clientIp?: string;
  user?: string;
  userAgent?: string;
  /** As logged, perhaps with a port. */
  host?: string;
  protocol?: string;
  requestId?: string;
  region?: string;
  kind?: CallKind;
  /** Records that one bulk call carried. */
  records?: number;
  cpuUs?: number;
  dbUs?: number;
  /** The route template that the log itself gives; never made from the path. */
  route?: string;
  /** The organisation that the log itself names. */
  tenant?: string;
  countsAgainstLimit?: boolean;
}

/** Why a line is not counted. A closed set: every line that is refused is refused for one of these. */
export const lineRefusals = [
  'line_malformed',
  'line_too_long',
  'time_invalid',
  'value_invalid',
  'header_missing',
  'record_other',
] as const;

export type LineRefusal = (typeof lineRefusals)[number];

/** A call, or why there is none; `header` is a line that carries no call by right: column names, a comment, a blank line. */
export type Parsed = LogLine | LineRefusal | 'header';

/**
 * Reads the lines of one log in their order.
 *
 * Takes  line: without its line end, of any length and content.
 * Holds  never throws; takes time linear in the length of the line.
 */
export interface LineParser {
  parse(line: string): Parsed;
}

/** A format that access logs are written in. */
export interface LogFormat {
  /** As `--format` takes it. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /**
   * Begins a log.
   *
   * Takes  head: the first lines of the file, for a parser that begins further down: column names stand only at the top.
   */
  open(head?: string): LineParser;
  /** Begins to read plain lines, where the format has a quicker way for them. */
  plain?(): PlainReader;
  /** Says whether a line that was parsed looks like this format and not like a broader one that takes its lines too. */
  isTypical?(line: LogLine, raw: string): boolean;
}

/** Longer lines are somebody's attack. */
export const LONGEST_LINE = 65_536;

/** A call of which only the time is known; with its fields in one order, so that engines keep one shape for all lines. */
export function newLogLine(tsUs: number): LogLine {
  return {
    tsUs,
    method: undefined,
    path: undefined,
    query: undefined,
    status: undefined,
    bytesIn: undefined,
    bytesOut: undefined,
    durationUs: undefined,
    clientIp: undefined,
    user: undefined,
    userAgent: undefined,
    host: undefined,
    protocol: undefined,
    requestId: undefined,
    kind: undefined,
  };
}
