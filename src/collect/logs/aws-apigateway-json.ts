import { asObject, firstText, instantOf, type JsonObject, jsonParser, timeRefusal } from './json-fields.ts';
import { type LogFormat, type LogLine, newLogLine, type Parsed } from './log-line.ts';
import { count, microseconds, PER_MILLISECOND, statusCode } from './quantities.ts';
import { addTargetText } from './request-line.ts';

/** Of these names at least one tells the log of an API from any other JSON. */
const MARKS = [
  'resourcePath',
  'routeKey',
  'httpMethod',
  'apiId',
  'domainName',
  'responseLength',
  'responseLatency',
  'integrationLatency',
  'requestTimeEpoch',
  'stage',
];

/**
 * The access log of REST, HTTP and WebSocket APIs: a JSON template that people fill with `$context` variables, mostly under
 * their own names. Numbers are texts.
 *
 * From   https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
 */
export const apiGatewayJson: LogFormat = {
  name: 'aws-apigateway-json',
  aliases: ['aws-apigateway'],
  open: () => jsonParser(parse),
};

function parse(fields: JsonObject): Parsed {
  const hasRequest = ['requestId', 'requestTime', 'requestTimeEpoch', 'extendedRequestId'].some((key) => key in fields);
  if (!hasRequest || !MARKS.some((name) => name in fields)) return 'record_other';
  const tsUs = instantOf(fields.requestTime, fields.requestTimeEpoch, fields.time, fields.timestamp);
  if (tsUs < 0) return timeRefusal(tsUs);
  const line = newLogLine(tsUs);
  addRequest(line, fields);
  line.status = statusCode(firstText(fields, 'status', 'statusCode'));
  line.bytesIn = count(fields.requestLength);
  line.bytesOut = count(fields.responseLength);
  line.durationUs = microseconds(firstText(fields, 'responseLatency', 'latency'), PER_MILLISECOND);
  addCaller(line, fields);
  line.requestId = firstText(fields, 'requestId', 'extendedRequestId');
  return line;
}

function addRequest(line: LogLine, fields: JsonObject): void {
  // `GET /pets/{id}`; WebSocket APIs have `$connect`, HTTP APIs may have `$default`.
  const routeKey = /^([A-Z]+) (\/\S*)$/.exec(firstText(fields, 'routeKey') ?? '');
  const method = firstText(fields, 'httpMethod', 'method') ?? routeKey?.[1];
  line.method = method === 'ANY' ? undefined : method;
  line.route = firstText(fields, 'resourcePath') ?? routeKey?.[2];
  addTargetText(line, firstText(fields, 'path', 'rawPath', 'requestPath'));
  line.query ??= firstText(fields, 'queryString', 'rawQueryString');
  line.protocol = firstText(fields, 'protocol');
  line.host = firstText(fields, 'domainName', 'host') ?? line.host;
  if ('connectionId' in fields || 'eventType' in fields) line.kind = 'websocket';
}

function addCaller(line: LogLine, fields: JsonObject): void {
  const identity = asObject(fields.identity) ?? {};
  line.clientIp = firstText(fields, 'ip', 'sourceIp', 'clientIp') ?? firstText(identity, 'sourceIp');
  line.userAgent = firstText(fields, 'userAgent') ?? firstText(identity, 'userAgent');
  line.user = firstText(fields, 'user', 'caller', 'principalId', 'authorizerPrincipalId');
}
