import { asObject, firstText, headerOf, instantOf, type JsonObject, jsonParser, timeRefusal } from './json-fields.ts';
import { type CallKind, type LogFormat, type LogLine, newLogLine, type Parsed } from './log-line.ts';
import { count, microseconds, PER_MILLISECOND, statusCode } from './quantities.ts';
import { addTargetText } from './request-line.ts';

/** What the plugins http-log, file-log and tcp-log send. From https://developer.konghq.com/plugins/http-log/ */
export const kongJson: LogFormat = {
  name: 'kong-json',
  aliases: ['kong'],
  open: () => jsonParser(parse),
};

function parse(fields: JsonObject): Parsed {
  const [request, response] = [asObject(fields.request), asObject(fields.response)];
  const latencies = asObject(fields.latencies);
  if (!request || !('started_at' in fields) || !(response || latencies)) return 'record_other';
  const tsUs = instantOf(fields.started_at);
  if (tsUs < 0) return timeRefusal(tsUs);
  const line = newLogLine(tsUs);
  line.method = firstText(request, 'method');
  addTargetText(line, firstText(request, 'url'));
  addTargetText(line, firstText(request, 'uri'));
  line.host = headerOf(request.headers, 'host') ?? line.host;
  line.bytesIn = count(request.size);
  line.userAgent = headerOf(request.headers, 'user-agent');
  line.requestId = firstText(request, 'id') ?? headerOf(request.headers, 'x-request-id');
  line.status = statusCode(response?.status);
  line.bytesOut = count(response?.size);
  line.durationUs = microseconds(latencies?.request, PER_MILLISECOND);
  line.clientIp = firstText(fields, 'client_ip');
  line.user = consumerOf(fields);
  addKind(line, asObject(fields.service));
  return line;
}

function consumerOf(fields: JsonObject): string | undefined {
  const consumer = asObject(fields.consumer) ?? {};
  const entity = asObject(fields.authenticated_entity) ?? {};
  return firstText(consumer, 'username', 'custom_id', 'id') ?? firstText(entity, 'consumer_id');
}

const kinds: Readonly<Record<string, CallKind>> = { grpc: 'grpc', grpcs: 'grpc', ws: 'websocket', wss: 'websocket' };

function addKind(line: LogLine, service: JsonObject | undefined): void {
  const protocol = service && firstText(service, 'protocol');
  if (protocol !== undefined && Object.hasOwn(kinds, protocol)) line.kind = kinds[protocol];
}
