import { describe, expect, it } from 'vitest';
import { findLogFormat } from './formats.ts';
import { shownLogLine } from './shown.ts';

const ts = '2022-08-01T03:04:05.678Z';

function readText(format: string, text: string) {
  const parsed = findLogFormat(format)!.open().parse(text);
  return typeof parsed === 'string' ? parsed : JSON.parse(JSON.stringify(shownLogLine(parsed)));
}
const read = (format: string, fields: object) => readText(format, JSON.stringify(fields));

const caddy = {
  level: 'info',
  ts: 1659323045.678,
  logger: 'http.log.access.log0',
  msg: 'handled request',
  request: {
    remote_ip: '10.9.9.9',
    client_ip: '10.1.2.3',
    proto: 'HTTP/2.0',
    method: 'GET',
    host: 'h:8080',
    uri: '/a?b',
    headers: { 'User-Agent': ['curl/8'] },
  },
  bytes_read: 5,
  duration: 0.0015,
  size: 42,
  status: 200,
};
const traefik = {
  ClientHost: '10.1.2.3',
  DownstreamContentSize: 42,
  DownstreamStatus: 200,
  Duration: 1_500_999,
  RequestContentSize: 5,
  RequestHost: 'h',
  RequestMethod: 'GET',
  RequestPath: '/a?b',
  RequestProtocol: 'HTTP/1.1',
  StartUTC: '2022-08-01T03:04:05.678Z',
  time: '2022-08-01T03:04:06Z',
};
const gateway = {
  requestId: 'id',
  ip: '10.1.2.3',
  requestTime: '01/Aug/2022:03:04:05 +0000',
  httpMethod: 'GET',
  resourcePath: '/pets/{id}',
  status: '200',
  protocol: 'HTTP/1.1',
  responseLength: '42',
};
const kong = {
  started_at: 1659323045678,
  client_ip: '10.1.2.3',
  request: {
    method: 'GET',
    uri: '/a?b',
    url: 'http://h:8000/a',
    size: '138',
    headers: { host: 'h:8000', 'user-agent': 'curl/8' },
  },
  response: { status: 200, size: '42' },
  latencies: { request: 15, kong: 5, proxy: 10 },
  consumer: { username: 'ada' },
};
const envoy = {
  start_time: ts,
  method: 'GET',
  path: '/a?b',
  protocol: 'HTTP/1.1',
  response_code: 200,
  bytes_received: 5,
  bytes_sent: '42',
  duration: 15,
  downstream_remote_address: '[2001:db8::1]:5000',
  authority: 'h',
  user_agent: 'curl/8',
};
const nginx = {
  time_iso8601: '2022-08-01T05:04:05+02:00',
  remote_addr: '10.1.2.3',
  request: 'GET /a?b HTTP/1.1',
  status: '200',
  body_bytes_sent: '42',
  request_length: '138',
  request_time: '0.015',
  http_user_agent: 'curl/8',
  http_host: 'h',
};
const same = { method: 'GET', path: '/a', query: 'b', status: 200, bytes_out: 42 };

describe('formats of JSON', () => {
  it.each<readonly [format: string, about: string, fields: object, says: object]>([
    [
      'caddy-json',
      'seconds',
      caddy,
      { ...same, ts, bytes_in: 5, duration_us: 1500, client_ip: '10.1.2.3', host: 'h:8080' },
    ],
    [
      'caddy-json',
      'times as text',
      { ...caddy, ts: '2022-08-01T03:04:05.678Z', duration: '1.5ms' },
      { ts, duration_us: 1500 },
    ],
    [
      'caddy-json',
      'version 2.4',
      {
        ...caddy,
        request: { ...caddy.request, client_ip: undefined, remote_ip: undefined, remote_addr: '10.7.7.7:1' },
      },
      { client_ip: '10.7.7.7' },
    ],
    ['traefik-json', 'nanoseconds', traefik, { ...same, ts, bytes_in: 5, duration_us: 1500, host: 'h' }],
    ['traefik-json', 'only time', { ...traefik, StartUTC: undefined }, { ts: '2022-08-01T03:04:06.000Z' }],
    ['traefik-json', 'no answer', { ...traefik, DownstreamStatus: 0 }, { path: '/a' }],
    [
      'aws-apigateway-json',
      'REST',
      gateway,
      { ts: '2022-08-01T03:04:05.000Z', status: 200, bytes_out: 42, route: '/pets/{id}' },
    ],
    [
      'aws-apigateway-json',
      'HTTP',
      { ...gateway, httpMethod: undefined, resourcePath: undefined, routeKey: 'GET /pets/{id}', responseLatency: '15' },
      { method: 'GET', route: '/pets/{id}', duration_us: 15_000 },
    ],
    [
      'aws-apigateway-json',
      'milliseconds since 1970',
      { ...gateway, requestTime: undefined, requestTimeEpoch: '1659323045678' },
      { ts },
    ],
    [
      'aws-apigateway-json',
      'a default route',
      { ...gateway, httpMethod: '-', resourcePath: undefined, routeKey: '$default', path: '/a' },
      { path: '/a' },
    ],
    [
      'kong-json',
      'numbers as texts',
      kong,
      { ...same, ts, bytes_in: 138, duration_us: 15_000, client_ip: '10.1.2.3', host: 'h:8000', user_agent: 'curl/8' },
    ],
    [
      'envoy-json',
      'Istio',
      envoy,
      { ...same, ts, bytes_in: 5, duration_us: 15_000, client_ip: '2001:db8::1', host: 'h' },
    ],
    ['envoy-json', 'empty fields', { ...envoy, user_agent: null, bytes_received: '-' }, same],
    [
      'nginx-json',
      'its variables',
      nginx,
      { ...same, ts: '2022-08-01T03:04:05.000Z', bytes_in: 138, duration_us: 15_000, host: 'h' },
    ],
    ['nginx-json', 'msec', { ...nginx, time_iso8601: undefined, msec: '1659323045.678' }, { ts }],
    [
      'nginx-json',
      'names of their own',
      { '@timestamp': ts, client_ip: '10.1.2.3', method: 'GET', url: '/a?b', status: 200, bytes: 42 },
      { ...same, ts },
    ],
  ])('%s: %s', (format, _, fields, says) => {
    expect(read(format, fields)).toMatchObject(says);
  });

  it('a status of 0, a size of -1 and a dash are absent', () => {
    expect(read('caddy-json', { ...caddy, status: 0, bytes_read: -1, user_id: '-' })).not.toHaveProperty('status');
    expect(read('kong-json', { ...kong, latencies: { request: -1 } })).not.toHaveProperty('duration_us');
    expect(read('envoy-json', { ...envoy, bytes_sent: -1 })).not.toHaveProperty('bytes_out');
  });

  it('nginx without escape=json writes what JSON does not know', () => {
    const text = JSON.stringify(nginx).replace('curl/8', 'a \\x22b\\x22 \\\\x');
    expect(readText('nginx-json', text)).toMatchObject({ ...same, user_agent: 'a "b" \\x' });
  });

  it.each([
    [
      'caddy-json',
      'another logger',
      { ...caddy, logger: 'http.handlers.reverse_proxy', msg: 'selected upstream' },
      'record_other',
    ],
    ['traefik-json', "Traefik's own log", { level: 'info', msg: 'started', time: ts }, 'record_other'],
    ['kong-json', 'no request', { started_at: 1 }, 'record_other'],
    ['envoy-json', 'no answer', { start_time: ts }, 'record_other'],
    ['aws-apigateway-json', 'another record', { requestId: 'id', message: 'x' }, 'record_other'],
    ['nginx-json', 'another record', { time: ts, level: 'error' }, 'record_other'],
    ['nginx-json', 'no time', { ...nginx, time_iso8601: '-' }, 'line_malformed'],
    ['kong-json', 'a time that no clock shows', { ...kong, started_at: 99999999999999 }, 'time_invalid'],
  ])('%s refuses %s', (format, _, fields, reason) => {
    expect(read(format, fields)).toBe(reason);
  });

  it.each(['[]', 'null', '{', '"x"', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, `{"a":${'{"a":'.repeat(1000)}`])(
    'refuses %s',
    (text) => {
      for (const name of ['caddy-json', 'nginx-json', 'kong-json']) expect(readText(name, text)).toBe('line_malformed');
    },
  );
});
