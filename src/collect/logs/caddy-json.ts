import { asObject, firstText, headerOf, instantOf, type JsonObject, jsonParser, timeRefusal } from './json-fields.ts';
import { type LogFormat, newLogLine, type Parsed } from './log-line.ts';
import { count, microseconds, PER_SECOND, statusCode, sumOfPresent } from './quantities.ts';
import { addTargetText } from './request-line.ts';
import { withoutPort } from './text-fields.ts';

/** From https://caddyserver.com/docs/caddyfile/directives/log; its encoder may write times and durations as text. */
export const caddyJson: LogFormat = {
  name: 'caddy-json',
  aliases: ['caddy'],
  open: () => jsonParser(parse),
};

function parse(fields: JsonObject): Parsed {
  const request = asObject(fields.request);
  const isAccess = String(fields.logger ?? '').startsWith('http.log.access') || fields.msg === 'handled request';
  if (!request || !isAccess) return 'record_other';
  const tsUs = instantOf(fields.ts, fields.time, fields.timestamp);
  if (tsUs < 0) return timeRefusal(tsUs);
  const line = newLogLine(tsUs);
  line.method = firstText(request, 'method');
  addTargetText(line, firstText(request, 'uri'));
  // The target may be absolute, but the host that Caddy took is in a field.
  line.host = firstText(request, 'host') ?? line.host;
  line.protocol = firstText(request, 'proto');
  line.status = statusCode(fields.status);
  line.bytesIn = count(fields.bytes_read);
  line.bytesOut = count(fields.size);
  line.durationUs = typeof fields.duration === 'string' ? goDuration(fields.duration) : seconds(fields.duration);
  line.clientIp = firstText(request, 'client_ip', 'remote_ip') ?? withoutPort(firstText(request, 'remote_addr') ?? '');
  line.user = firstText(fields, 'user_id');
  line.userAgent = headerOf(request.headers, 'user-agent');
  line.requestId = headerOf(request.headers, 'x-request-id');
  return line;
}

const seconds = (value: unknown) => microseconds(value, PER_SECOND);

const units: Readonly<Record<string, number>> = { h: 3.6e9, m: 6e7, s: 1e6, ms: 1e3, us: 1, µs: 1, μs: 1, ns: 1e-3 };

/** `1.5s`, `2m3s`, `12.3ms`: a duration as Go writes it. */
function goDuration(text: string): number | undefined {
  if (!/^(?:\d{1,9}(?:\.\d{1,9})?(?:h|ms?|s|[uµμ]s|ns)){1,6}$/.test(text)) return seconds(text);
  const parts = [...text.matchAll(/([\d.]+)([a-zµμ]+)/g)];
  return microseconds(sumOfPresent(parts.map(([, value, unit]) => Number(value) * units[unit!]!)), 1);
}
