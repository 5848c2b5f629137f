import { firstText, instantOf, type JsonObject, jsonParser, timeRefusal } from './json-fields.ts';
import { type LogFormat, newLogLine, type Parsed } from './log-line.ts';
import { count, microseconds, PER_MILLISECOND, statusCode } from './quantities.ts';
import { addTargetText } from './request-line.ts';
import { firstAddress, withoutPort } from './text-fields.ts';

/** JSON with the names of Envoy Gateway, Istio and Envoy's own documentation. */
export const envoyJson: LogFormat = {
  name: 'envoy-json',
  aliases: ['istio-json'],
  open: () => jsonParser(parse),
};

function parse(fields: JsonObject): Parsed {
  const isCall = 'response_code' in fields || 'response_flags' in fields;
  if (!isCall || !('start_time' in fields)) return 'record_other';
  const tsUs = instantOf(fields.start_time);
  if (tsUs < 0) return timeRefusal(tsUs);
  const line = newLogLine(tsUs);
  line.method = firstText(fields, 'method', ':method', 'request_method');
  // The path that the caller sent comes before the one that a route rewrote.
  addTargetText(
    line,
    firstText(
      fields,
      'x-envoy-original-path',
      'x-envoy-origin-path',
      'x_envoy_original_path',
      'path',
      ':path',
      'request_path',
    ),
  );
  line.status = statusCode(firstText(fields, 'response_code'));
  line.bytesIn = count(fields.bytes_received);
  line.bytesOut = count(fields.bytes_sent);
  line.durationUs = microseconds(fields.duration, PER_MILLISECOND);
  const remote = firstText(fields, 'downstream_remote_address', 'downstream_direct_remote_address');
  const forwarded = firstText(fields, 'x-forwarded-for', 'x_forwarded_for', 'forwarded_for');
  line.clientIp = (remote === undefined ? undefined : withoutPort(remote)) ?? firstAddress(forwarded);
  line.userAgent = firstText(fields, 'user-agent', 'user_agent');
  line.host = firstText(fields, ':authority', 'authority', 'host') ?? line.host;
  line.protocol = firstText(fields, 'protocol');
  line.requestId = firstText(fields, 'x-request-id', 'request_id', 'x_request_id');
  if (fields.grpc_status !== undefined && fields.grpc_status !== null && fields.grpc_status !== '-') line.kind = 'grpc';
  return line;
}
