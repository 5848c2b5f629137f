import { instantOf, type JsonObject, jsonParser, textOf, timeRefusal } from './json-fields.ts';
import { type LogFormat, newLogLine, type Parsed } from './log-line.ts';
import { nginxFields } from './nginx-fields.ts';

/** What people call the variables in their own `log_format ... escape=json`, besides their own names. */
const aliases: Readonly<Record<string, string>> = {
  client: 'remote_addr',
  client_ip: 'remote_addr',
  clientip: 'remote_addr',
  remote_ip: 'remote_addr',
  remoteip: 'remote_addr',
  remote_address: 'remote_addr',
  user: 'remote_user',
  method: 'request_method',
  http_method: 'request_method',
  path: 'request_uri',
  url: 'request_uri',
  request_path: 'request_uri',
  request_query: 'args',
  query: 'args',
  response_status: 'status',
  status_code: 'status',
  bytes: 'body_bytes_sent',
  body_bytes: 'body_bytes_sent',
  size: 'body_bytes_sent',
  bytes_out: 'body_bytes_sent',
  bytes_in: 'request_length',
  user_agent: 'http_user_agent',
  useragent: 'http_user_agent',
  agent: 'http_user_agent',
  http_host_header: 'http_host',
  protocol: 'server_protocol',
  upstream_time: 'upstream_response_time',
};

/** A variable of nginx that says what was asked for, under its own or another name. */
const REQUESTS = ['request', 'request_method', 'request_uri', 'uri', 'method', 'path', 'url', 'request_path'];
const STATUSES = ['status', 'response_status', 'status_code'];

/**
 * JSON that somebody's `log_format` gives: the names of nginx's variables, or common other names for them. Times that are in
 * seconds by nginx's rule are read only under nginx's own names.
 */
export const nginxJson: LogFormat = {
  name: 'nginx-json',
  open: () => jsonParser(parse),
};

function parse(fields: JsonObject): Parsed {
  const isCall = STATUSES.some((name) => name in fields) && REQUESTS.some((name) => name in fields);
  if (!isCall) return 'record_other';
  const { time_iso8601, msec, time_local, time, timestamp, ts, date } = fields;
  const tsUs = instantOf(time_iso8601, msec, time_local, fields['@timestamp'], time, timestamp, ts, date);
  if (tsUs < 0) return timeRefusal(tsUs);
  const line = newLogLine(tsUs);
  // nginx's own names come last and win.
  for (const [alias, name] of Object.entries(aliases)) set(fields[alias], name);
  for (const name of Object.keys(nginxFields)) set(fields[name], name);
  return line;

  function set(value: unknown, name: string): void {
    const text = textOf(value);
    if (text !== undefined) nginxFields[name]!(line, text);
  }
}
