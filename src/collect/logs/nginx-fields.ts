import type { LogLine } from './log-line.ts';
import { count, microseconds, PER_SECOND, statusCode, sumOfPresent } from './quantities.ts';
import { addRequestText, addTargetText } from './request-line.ts';
import { firstAddress, present, withoutPort } from './text-fields.ts';

/** Puts the value of one variable into a line. */
export type SetField = (line: LogLine, text: string) => void;

/** nginx's variables that a call is made of; times are read elsewhere. From https://nginx.org/en/docs/varindex.html */
export const nginxFields: Readonly<Record<string, SetField>> = {
  remote_addr: (line, text) => (line.clientIp = firstAddress(text)),
  realip_remote_addr: (line, text) => (line.clientIp ??= present(text)),
  the_real_ip: (line, text) => (line.clientIp = present(text)),
  remote_user: (line, text) => (line.user = present(text)),
  request: addRequestText,
  request_method: (line, text) => (line.method = present(text)),
  request_uri: addTargetText,
  uri: (line, text) => (line.path ??= present(text)),
  document_uri: (line, text) => (line.path ??= present(text)),
  args: (line, text) => (line.query ??= present(text)),
  query_string: (line, text) => (line.query ??= present(text)),
  status: (line, text) => (line.status = statusCode(text)),
  body_bytes_sent: (line, text) => (line.bytesOut = count(text)),
  bytes_sent: (line, text) => (line.bytesOut ??= count(text)),
  request_length: (line, text) => (line.bytesIn = count(text)),
  request_time: (line, text) => (line.durationUs = microseconds(text, PER_SECOND)),
  upstream_response_time: (line, text) => (line.durationUs ??= upstreamTime(text)),
  http_user_agent: (line, text) => (line.userAgent = present(text)),
  http_host: (line, text) => (line.host = present(text)),
  host: (line, text) => (line.host ??= present(text)),
  server_name: (line, text) => (line.host ??= text === '_' ? undefined : present(text)),
  server_protocol: (line, text) => (line.protocol = present(text)),
  req_id: (line, text) => (line.requestId = present(text)),
  request_id: (line, text) => (line.requestId = present(text)),
  http_x_request_id: (line, text) => (line.requestId ??= present(text)),
  proxy_protocol_addr: (line, text) => (line.clientIp ??= withoutPort(text)),
};

/** Several upstreams that were tried stand in one list: `0.002, 0.010 : 0.004`. */
function upstreamTime(text: string): number | undefined {
  return sumOfPresent(text.split(/[,:]/, 20).map((part) => microseconds(part.trim(), PER_SECOND)));
}
