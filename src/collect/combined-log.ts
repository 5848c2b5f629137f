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

const LINE =
  /^(\S+) (\S+) (.+?) \[(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?\s*$/;
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
  const match = LINE.exec(line);
  if (!match) return null;
  const month = months[match[5]!];
  if (month === undefined) return null;
  const offset = (Number(match[11]) * 60 + Number(match[12])) * 60_000;
  const local = Date.UTC(
    Number(match[6]),
    month,
    Number(match[4]),
    Number(match[7]),
    Number(match[8]),
    Number(match[9]),
  );
  const result: LogLine = { tsMs: match[10] === '-' ? local + offset : local - offset, status: Number(match[14]) };
  if (match[1] !== '-') result.clientIp = match[1]!;
  if (match[3] !== '-') result.user = match[3]!;
  if (match[15] !== '-') result.bytesOut = Number(match[15]);
  if (match[17] !== undefined && match[17] !== '-' && match[17] !== '') result.userAgent = unescaped(match[17]);
  addRequest(result, match[13]!);
  return result;
}

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
