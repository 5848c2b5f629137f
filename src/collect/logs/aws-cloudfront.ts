import { BAD_TIME } from './calendar.ts';
import { IsoClock } from './iso-clock.ts';
import { lineParser } from './line-parser.ts';
import { type LogFormat, newLogLine, type Parsed } from './log-line.ts';
import { count, microseconds, PER_SECOND, statusCode } from './quantities.ts';
import { present } from './text-fields.ts';

/** The columns of standard logs since 2019, for parts of a file that have no header; older ones end earlier. */
const STANDARD = (
  'date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) ' +
  'cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken ' +
  'x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status ' +
  'fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len ' +
  'sc-range-start sc-range-end'
).split(' ');
const FEWEST = 15;

type Columns = ReadonlyMap<string, number>;

/** From https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html */
export const cloudfront: LogFormat = {
  name: 'aws-cloudfront',
  open(head = '') {
    const clock = new IsoClock();
    const named = head.split('\n').find((line) => line.startsWith('#Fields:'));
    let columns = named === undefined ? columnsOf(STANDARD) : columnsOf(namesOf(named));
    return lineParser((text) => {
      if (!text.startsWith('#')) return parse(text, columns, clock);
      if (text.startsWith('#Fields:')) columns = columnsOf(namesOf(text));
      return 'header';
    });
  },
};

const namesOf = (line: string) => line.slice('#Fields:'.length).trim().split(/\s+/);

const columnsOf = (names: readonly string[]): Columns => new Map(names.map((name, place) => [name, place]));

function parse(text: string, columns: Columns, clock: IsoClock): Parsed {
  const fields = text.split('\t', 100);
  const field = (name: string) => present(fields[columns.get(name) ?? -1]);
  if (fields.length < Math.min(FEWEST, columns.size)) return 'line_malformed';
  const time = field('date') === undefined ? -1 : clock.readAll(`${field('date')}T${field('time')}Z`);
  if (time < 0) return time === BAD_TIME ? 'time_invalid' : 'line_malformed';
  const [status, bytes] = [field('sc-status'), field('sc-bytes')];
  const isNumber = (value: string | undefined) => value === undefined || /^-?\d{1,16}$/.test(value);
  if (!isNumber(status) || !isNumber(bytes)) return 'line_malformed';
  const line = newLogLine(time);
  line.method = field('cs-method');
  line.path = field('cs-uri-stem');
  line.query = field('cs-uri-query');
  line.status = statusCode(status);
  line.bytesIn = count(field('cs-bytes'));
  line.bytesOut = count(bytes);
  line.durationUs = microseconds(field('time-taken'), PER_SECOND);
  line.clientIp = field('c-ip');
  line.userAgent = decodedAgent(field('cs(User-Agent)'));
  line.host = field('x-host-header') ?? field('cs(Host)');
  line.protocol = field('cs-protocol-version');
  line.requestId = field('x-edge-request-id');
  if (/^wss?$/.test(field('cs-protocol') ?? '')) line.kind = 'websocket';
  return line;
}

/** CloudFront percent-encodes the agent, in older logs twice. */
function decodedAgent(agent: string | undefined): string | undefined {
  let decoded = agent;
  for (let round = 0; round < 2 && decoded?.includes('%'); round++) {
    try {
      decoded = decodeURIComponent(decoded);
    } catch {
      return decoded;
    }
  }
  return decoded;
}
