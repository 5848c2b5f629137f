import { instantOf, timeRefusal } from './json-fields.ts';
import { type CallKind, type LogLine, newLogLine, type Parsed } from './log-line.ts';
import { count, microseconds, microsecondsOfNanos, PER_MILLISECOND, statusCode } from './quantities.ts';
import { addTargetText } from './request-line.ts';

/** Gives the text of a column; undefined when it is empty or there is none. */
type Column = (name: string) => string | undefined;

/** The events that are calls to the organisation's APIs. All others tell of pages, logins, code, calls to the outside. */
const kinds: ReadonlyMap<string, CallKind | undefined> = new Map<string, CallKind | undefined>([
  ['restapi', 'rest'],
  ['apexrestapi', 'rest'],
  ['api', 'soap'],
  ['apexsoap', 'soap'],
  ['bulkapi', 'bulk'],
  ['bulkapi2', 'bulk'],
  ['bulkapirequest', 'bulk'],
  ['apitotalusage', undefined],
]);

const families: ReadonlyMap<string, CallKind> = new Map<string, CallKind>([
  ['REST', 'rest'],
  ['SOAP', 'soap'],
  ['BULK', 'bulk'],
]);

/** Reads one event. RUN_TIME and CPU_TIME are milliseconds, DB_TOTAL_TIME is nanoseconds. */
export function salesforceLine(column: Column): Parsed {
  const event = column('EVENT_TYPE')?.toLowerCase() ?? '';
  if (!kinds.has(event)) return 'record_other';
  const tsUs = instantOf(column('TIMESTAMP_DERIVED'), compactTime(column('TIMESTAMP')));
  if (tsUs < 0) return timeRefusal(tsUs);
  const line = newLogLine(tsUs);
  addRequest(line, column);
  addMeasures(line, column);
  const address = column('CLIENT_IP') ?? column('SOURCE_IP');
  // Calls from inside have words such as `Salesforce.com IP` in place of an address.
  line.clientIp = address?.includes(' ') ? undefined : address;
  line.user = column('USER_NAME') ?? column('USER_ID_DERIVED') ?? column('USER_ID');
  line.userAgent = agentOf(column);
  line.requestId = column('REQUEST_ID');
  line.tenant = column('ORGANIZATION_ID');
  line.kind = kinds.get(event) ?? families.get(column('API_FAMILY')?.toUpperCase() ?? '');
  line.countsAgainstLimit = isTrue(column('COUNTS_AGAINST_API_LIMIT'));
  return line;
}

function addRequest(line: LogLine, column: Column): void {
  line.method = column('HTTP_METHOD') ?? column('METHOD');
  addTargetText(line, column('URI') ?? column('API_RESOURCE'));
  line.status = statusCode(column('STATUS_CODE') ?? column('STATUS'));
  // SOAP has an operation where others have a route; the path is the same for all of them.
  line.route = column('METHOD_NAME') ?? column('OPERATION_TYPE');
}

function addMeasures(line: LogLine, column: Column): void {
  line.bytesIn = count(column('REQUEST_SIZE'));
  line.bytesOut = count(column('RESPONSE_SIZE'));
  line.durationUs = microseconds(column('RUN_TIME'), PER_MILLISECOND);
  line.cpuUs = microseconds(column('CPU_TIME'), PER_MILLISECOND);
  line.dbUs = microsecondsOfNanos(column('DB_TOTAL_TIME'));
  line.records = count(column('ROWS_PROCESSED'));
}

/** In some releases the agent is a code, and the name of the client says more. */
function agentOf(column: Column): string | undefined {
  const agent = column('USER_AGENT');
  return agent !== undefined && !/^-?\d+$/.test(agent) ? agent : (column('CLIENT_NAME') ?? agent);
}

function isTrue(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : /^(?:1|true)$/i.test(text);
}

/** `20220801030405.123` as RFC 3339. */
function compactTime(text: string | undefined): string | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d{1,9})?$/.exec(text ?? '');
  if (!match) return text;
  const [, year, month, day, hour, minute, second, fraction = ''] = match;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}Z`;
}
