/** One access-log line, in the fields that `taximeter parse` prints. Absent is absent: `-` and missing fields are undefined. */
export interface LogLine {
  /** Milliseconds since 1970 UTC. */
  tsMs: number;
  method?: string;
  path?: string;
  query?: string;
  status?: number;
  bytesIn?: number;
  bytesOut?: number;
  durationUs?: number;
  clientIp?: string;
  user?: string;
  userAgent?: string;
  host?: string;
  protocol?: string;
}

// The agent comes last, and a line that was cut short in it still tells of its call: its end quote may be missing.
const LINE =
  /^(\S+) (\S+) (.+?) \[(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})\] "((?:[^"\\]|\\.)*)" (\d{3}|-) (\d+|-)(?: (?:"((?:[^"\\]|\\.)*)"|-) (?:"((?:[^"\\]|\\.)*)"?|-))?$/;
const LONGEST_LINE = 65_536;
const REQUEST = /^([A-Za-z_]+) (\S.*?)(?: (HTTP\/\d(?:\.\d)?))?$/;
const months: Record<string, number> = {
  Jan: 0,
  Feb: 1,
  Mar: 2,
  Apr: 3,
  May: 4,
  Jun: 5,
  Jul: 6,
  Aug: 7,
  Sep: 8,
  Oct: 9,
  Nov: 10,
  Dec: 11,
};

/**
 * Reads one line of the combined format, or of the common format that it extends.
 *
 * Takes  line: without its line end.
 * Gives  its fields; null when it is not such a line. A request that is no HTTP request leaves method and path absent.
 * From   Apache mod_log_config and nginx `combined`: body bytes, `-` is absent.
 */
export function parseCombined(line: string): LogLine | null {
  // A longer line is somebody's attack; matching it would take its toll.
  const match = line.length > LONGEST_LINE ? null : LINE.exec(line.trimEnd());
  if (!match) return null;
  const tsMs = instantOf(match);
  const bytesOut = match[15] === '-' ? undefined : Number(match[15]);
  if (tsMs === null || (bytesOut !== undefined && !Number.isSafeInteger(bytesOut))) return null;
  const result: LogLine = { tsMs };
  if (match[14] !== '-') result.status = Number(match[14]);
  if (bytesOut !== undefined) result.bytesOut = bytesOut;
  if (match[1] !== '-') result.clientIp = match[1]!;
  if (match[3] !== '-') result.user = match[3]!;
  if (match[17] !== undefined && match[17] !== '-' && match[17] !== '') result.userAgent = unescaped(match[17]);
  addRequest(result, match[13]!);
  return result;
}

// Nanoseconds of later years do not fit 64 bits; earlier ones come from broken clocks.
const OLDEST_YEAR = 1990;
const NEWEST_YEAR = 2105;

/** The time in the brackets; null for one that no clock shows. */
function instantOf(match: RegExpExecArray): number | null {
  const month = months[match[5]!];
  const [day, year, hour, minute, second] = [4, 6, 7, 8, 9].map((group) => Number(match[group])) as Five;
  if (month === undefined || year < OLDEST_YEAR || year > NEWEST_YEAR) return null;
  const local = Date.UTC(year, month, day, hour, minute, second);
  // A leap second is written as 60.
  if (new Date(Date.UTC(year, month, day)).getUTCDate() !== day || hour > 23 || minute > 59 || second > 60) return null;
  const offset = (Number(match[11]) * 60 + Number(match[12])) * 60_000;
  return match[10] === '-' ? local + offset : local - offset;
}

type Five = [number, number, number, number, number];

function addRequest(line: LogLine, request: string): void {
  const match = REQUEST.exec(unescaped(request));
  if (!match) return;
  line.method = match[1]!;
  if (match[3] !== undefined) line.protocol = match[3];
  let target = match[2]!;
  const absolute = /^[a-z][a-z+.-]*:\/\/([^/?#]*)/i.exec(target);
  if (absolute) {
    line.host = absolute[1]!;
    target = target.slice(absolute[0].length) || '/';
  }
  const mark = target.indexOf('?');
  line.path = mark < 0 ? target : target.slice(0, mark);
  if (mark >= 0 && mark + 1 < target.length) line.query = target.slice(mark + 1);
}

function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\(["\\])/g, '$1') : text;
}
