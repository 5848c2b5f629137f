import { describe, expect, it } from 'vitest';
import { findLogFormat } from './formats.ts';
import { shownLogLine } from './shown.ts';

const at = '10.1.2.3 - ada [01/Aug/2022:03:04:05 +0200]';
const combined = `${at} "GET /v1/a?b=c HTTP/1.1" 200 512 "https://from.example/" "agent/1.0"`;
const call = {
  ts: '2022-08-01T01:04:05.000Z',
  method: 'GET',
  path: '/v1/a',
  query: 'b=c',
  status: 200,
  bytes_out: 512,
};

function read(format: string, line: string) {
  const parsed = findLogFormat(format)!.open().parse(line);
  return typeof parsed === 'string' ? parsed : JSON.parse(JSON.stringify(shownLogLine(parsed)));
}

describe('combined and what extends it', () => {
  it.each<readonly [format: string, about: string, line: string, says: object]>([
    ['combined', 'nginx and Apache', combined, { ...call, client_ip: '10.1.2.3', user_agent: 'agent/1.0' }],
    ['combined', 'of the common format', `${at} "GET /v1/a?b=c HTTP/1.1" 200 512`, call],
    ['combined', 'fields added at its end', `${combined} 0.004 "x"`, call],
    ['combined', 'cut short in the agent', combined.slice(0, -3), { ...call, user_agent: 'agent/1' }],
    ['combined', 'escaped quotes', combined.replace('agent/1.0', 'a \\"b\\" c\\\\'), { user_agent: 'a "b" c\\' }],
    ['combined', 'quotes that nobody escaped', combined.replace('agent/1.0', 'a"b'), { user_agent: 'a"b' }],
    ['combined', 'a quote in the target', combined.replace('b=c', 'b="c"'), { query: 'b="c"' }],
    ['combined', 'IPv6', combined.replace('10.1.2.3', '2001:db8::1'), { client_ip: '2001:db8::1' }],
    ['combined', 'a host name', combined.replace('10.1.2.3', 'a.example'), { client_ip: 'a.example' }],
    [
      'combined',
      'X-Forwarded-For in front',
      combined.replace('10.1.2.3', '1.1.1.1, 2.2.2.2'),
      { client_ip: '1.1.1.1' },
    ],
    ['combined', 'a user with spaces and brackets', combined.replace('ada', 'ada [x] b'), call],
    ['combined', 'an empty user', combined.replace('- ada [', '-  ['), call],
    ['combined', 'no size', `${at} "GET /v1/a?b=c HTTP/1.1" 304 -`, { status: 304 }],
    ['combined', 'an absolute target', combined.replace('/v1/a?', 'http://u:p@h:80/v1/a?'), { ...call, host: 'h:80' }],
    ['combined', 'CONNECT', combined.replace('GET /v1/a?b=c', 'CONNECT h:443'), { method: 'CONNECT', host: 'h:443' }],
    ['combined', 'HTTP/0.9', combined.replace(' HTTP/1.1', ''), call],
    ['combined', 'a space in the path', combined.replace('/v1/a?', '/v1/a b?'), { path: '/v1/a b', query: 'b=c' }],
    ['combined', 'a fraction of the second', combined.replace(':05 ', ':05.123 '), { ts: '2022-08-01T01:04:05.123Z' }],
    ['combined', 'a container runtime', `2026-01-01T00:00:00.000000000Z stdout F ${combined}`, call],
    ['combined', 'a container runtime with a zone', `2026-01-01T00:00:00.1+02:00 stderr F ${combined}`, call],
    ['combined', 'Docker', JSON.stringify({ log: `${combined}\n`, stream: 'stdout', time: '' }), call],
    ['combined', 'syslog', `<190>Aug  1 03:04:05 web1 nginx: ${combined}`, call],
    ['combined', 'syslog of RFC 5424', `<134>1 2022-08-01T03:04:05Z web1 nginx 12 - [a b="c"] ${combined}`, call],
    ['combined', 'a carriage return', `${combined}\r`, call],
    ['nginx-main', 'X-Forwarded-For behind', `${combined} "1.1.1.1, 2.2.2.2"`, { ...call, client_ip: '10.1.2.3' }],
    ['nginx-vhost', 'the host in front', `api.example:443 ${combined}`, { ...call, host: 'api.example:443' }],
    ['apache-vhost', 'common behind it', `api.example ${at} "GET /v1/a?b=c HTTP/1.1" 200 512`, { host: 'api.example' }],
    ['apache-d', '%D is microseconds', `${combined} 1234`, { ...call, duration_us: 1234 }],
    [
      'nginx-ingress',
      'length, time and upstream',
      `${combined} 462 0.050 [ns-svc-80] [] 10.0.5.8:80, 10.0.5.9:80 0, 512 0.010, 0.040 502, 200 ${'a1'.repeat(16)}`,
      { ...call, bytes_in: 462, duration_us: 50_000 },
    ],
    ['nginx-ingress', 'without upstream', `${combined} 462 0.050 [svc]`, { ...call, bytes_in: 462 }],
    ['traefik-clf', 'milliseconds', `${combined} 7 "r@docker" "http://10.0.0.2:80" 25ms`, { duration_us: 25_000 }],
    ['traefik-clf', 'no answer', `${at} "GET / HTTP/1.1" - - - "-" 7 "-" "-" 0ms`, { path: '/', duration_us: 0 }],
  ])('%s: %s', (format, _, line, says) => {
    expect(read(format, line)).toMatchObject(says);
  });

  it.each([
    ['TLS bytes', '\\x16\\x03\\x01'],
    ['nothing', ''],
    ['a dash', '-'],
    ['one word', 'HELP'],
    ['words', 'some words only'],
  ])('a request of %s counts, without method and path', (_, request) => {
    const line = read('combined', `${at} "${request}" 400 150 "-" "-"`);
    expect(line).toEqual({ ts: call.ts, status: 400, bytes_out: 150, client_ip: '10.1.2.3' });
  });

  it.each([
    ['combined', 'text', 'not a log line', 'line_malformed'],
    ['combined', 'a day that does not exist', combined.replace('01/Aug', '31/Jun'), 'time_invalid'],
    ['combined', 'a month that does not exist', combined.replace('Aug', 'Abc'), 'time_invalid'],
    ['combined', 'an hour that does not exist', combined.replace(':03:04', ':25:04'), 'time_invalid'],
    ['combined', 'a year that no clock shows', combined.replace('2022', '2106'), 'time_invalid'],
    ['combined', 'a year before the web', combined.replace('2022', '1989'), 'time_invalid'],
    ['combined', 'a size beyond any double', combined.replace(' 512 ', ' 99999999999999999999 '), 'value_invalid'],
    ['combined', 'a line of a virtual host', `api.example ${at.replace('ada', '-')} "-" 200 5`, 'line_malformed'],
    ['combined', 'too long', combined.padEnd(65_537, 'x'), 'line_too_long'],
    ['combined', 'a piece of a line', `2026-01-01T00:00:00Z stdout P ${combined}`, 'line_malformed'],
    ['nginx-main', 'nothing behind', combined, 'line_malformed'],
    ['nginx-ingress', 'nothing behind', combined, 'line_malformed'],
    ['traefik-clf', 'nothing behind', combined, 'line_malformed'],
    ['apache-d', 'seconds', `${combined} 0.123`, 'line_malformed'],
    ['nginx-vhost', 'no host', combined, 'line_malformed'],
    ['combined', 'a blank line', '  ', 'header'],
  ])('%s refuses %s', (format, _, line, reason) => {
    expect(read(format, line)).toBe(reason);
  });
});

const albHead = 'https 2022-08-01T03:04:05.123456Z app/lb/50dc 10.1.2.3:2817 10.0.0.1:80';
const albTail = '"curl/8" ECDHE TLSv1.2 arn:aws:x "Root=1-5833" "api.example" "-" 0 2022-08-01T03:04:05.1Z "forward"';
const haproxy = (timers: string, rest: string) =>
  `10.1.2.3:5000 [01/Aug/2022:03:04:05.678] front~ back/one ${timers} 200 739 - - ---- 5/4/3/2/0 0/0 ${rest}`;

describe('load balancers and proxies', () => {
  it.each<readonly [format: string, about: string, line: string, says: object]>([
    [
      'aws-alb',
      'seconds, client port, host',
      `${albHead} 0.001 0.052 0.000 200 200 589 2084 "POST https://api.example:443/a?b HTTP/2.0" ${albTail}`,
      {
        ts: '2022-08-01T03:04:05.123456Z',
        duration_us: 53_000,
        bytes_in: 589,
        bytes_out: 2084,
        client_ip: '10.1.2.3',
        host: 'api.example:443',
        path: '/a',
        query: 'b',
        user_agent: 'curl/8',
      },
    ],
    [
      'aws-alb',
      'times that are none',
      `${albHead} -1 0.052 -1 502 - 1 2 "GET http://h/ HTTP/1.1" "-"`,
      { duration_us: 52_000 },
    ],
    [
      'aws-alb',
      'no request',
      `${albHead} -1 -1 -1 400 - 0 272 "- http://h:80- -" "-" - -`,
      { status: 400, bytes_in: 0 },
    ],
    [
      'aws-alb',
      'spaces and semicolons',
      `${albHead} 0 0 0 200 200 1 2 "GET http://h:80/a b;c HTTP/1.1" "-"`,
      { path: '/a b;c' },
    ],
    [
      'aws-alb',
      'gRPC',
      `grpcs ${albHead.slice(6)} 0 0 0 200 200 1 2 "POST https://h/s/M HTTP/2.0" "-"`,
      { kind: 'grpc' },
    ],
    [
      'aws-elb-classic',
      'without agent',
      '2022-08-01T03:04:05.123456Z lb 2001:db8::1:2817 - 0.000073 0.001048 0.000057 200 200 0 29 "GET http://h:80/ HTTP/1.1"',
      { duration_us: 1178, client_ip: '2001:db8::1', host: 'h:80' },
    ],
    [
      'aws-elb-classic',
      'TCP',
      '2022-08-01T03:04:05.1Z lb 10.1.2.3:2817 10.0.0.1:80 0.001 0.000028 0.000041 - - 82 305 "- - - " "-" - -',
      { bytes_in: 82, bytes_out: 305 },
    ],
    [
      'aws-s3',
      'milliseconds',
      '79a5 bucket [01/Aug/2022:03:04:05 +0000] 10.1.2.3 arn:aws:iam::1:user/a 3E57 REST.GET.OBJECT a%2520b "GET /a?x=1 HTTP/1.1" 200 - 113 200 7 5 "-" "S3/1" - host SigV4 ECDHE AuthHeader bucket.s3.amazonaws.com TLSv1.2 - -',
      { bytes_out: 113, duration_us: 7000, host: 'bucket.s3.amazonaws.com', path: '/a', query: 'x=1' },
    ],
    [
      'haproxy-http',
      'syslog, captured headers, an estimate',
      `Aug  1 03:04:06 lb haproxy[42]: ${haproxy('0/51/1/48/+99', '{agent "x|} {} "GET /a HTTP/1.1"'.replace('"x', 'x'))}`,
      { ts: '2022-08-01T03:04:05.678Z', duration_us: 99_000, bytes_out: 739, client_ip: '10.1.2.3', path: '/a' },
    ],
    [
      'haproxy-http',
      'HTTPS',
      haproxy('0/0/0/1/2', '"GET https://h/a HTTP/2.0" 0/0/0/0/0 h/TLSv1.3/TLS_AES'),
      { host: 'h' },
    ],
    ['haproxy-http', 'cut short', haproxy('0/0/0/1/2', '"GET /a/b'), { method: 'GET', path: '/a/b' }],
    [
      'haproxy-http',
      'a bad request',
      haproxy('-1/-1/-1/-1/6', '"<BADREQ>"').replace('200 739', '-1 0'),
      { duration_us: 6000 },
    ],
    [
      'envoy',
      'milliseconds, body sizes',
      '[2022-08-01T03:04:05.678Z] "POST /a HTTP/2" 204 - 154 0 226 100 "10.1.2.3, 10.9.9.9" "grpc-go/1" "id" "h" "tcp://10.0.2.1:80"',
      { bytes_in: 154, bytes_out: 0, duration_us: 226_000, client_ip: '10.1.2.3', host: 'h', kind: 'grpc' },
    ],
    [
      'envoy',
      'Istio',
      '[2022-08-01T03:04:05.678Z] "GET /a HTTP/1.1" 200 - via_upstream - "-" 0 98 5 4 "-" "curl/8" "id" "h:80" "10.0.2.1:80" inbound|80|| 127.0.0.6:1 10.0.2.1:80 10.1.2.3:5000 sni default',
      { bytes_out: 98, duration_us: 5000, client_ip: '10.1.2.3', host: 'h:80' },
    ],
    [
      'envoy',
      'no answer',
      '[2022-08-01T03:04:05.678Z] "GET /a HTTP/1.1" 0 DC 0 0 9 - "-" "-" "id" "h" "-"',
      { path: '/a' },
    ],
    [
      'squid',
      'milliseconds',
      '1659323045.678     16 10.1.2.3 TCP_MISS/200 2014 GET http://h/a?b ada HIER_DIRECT/10.0.0.1 text/plain',
      { ts: '2022-08-01T03:04:05.678Z', duration_us: 16_000, bytes_out: 2014, host: 'h', path: '/a', query: 'b' },
    ],
    [
      'squid',
      'no request',
      '1659323045.678 0 10.1.2.3 NONE/400 3 NONE error:invalid-request - HIER_NONE/- text/html',
      { status: 400 },
    ],
    [
      'nginx-proxy-manager',
      'the last status',
      '[01/Aug/2022:03:04:05 +0000] HIT 502 200 - GET https api.example "/a?b" [Client 10.1.2.3] [Length 42] [Gzip 2.1] [Sent-to 10.0.0.1] "curl/8" "-"',
      {
        status: 200,
        host: 'api.example',
        path: '/a',
        query: 'b',
        client_ip: '10.1.2.3',
        bytes_out: 42,
        user_agent: 'curl/8',
      },
    ],
    [
      'nginx-proxy-manager',
      'its own pages',
      '[01/Aug/2022:03:04:05 +0000] 404 - GET http h "/" [Client 10.1.2.3] [Length 0] [Gzip -] "-" "-"',
      { status: 404, bytes_out: 0 },
    ],
    [
      'npmplus',
      'seconds, body before total',
      '[01/Aug/2022:03:04:05 +0000] api.example 10.1.2.3 0.123 "GET /a HTTP/2.0" 200 10 300 https://from/ Agent (one two)',
      { host: 'api.example', duration_us: 123_000, bytes_out: 10, user_agent: 'Agent (one two)' },
    ],
  ])('%s: %s', (format, _, line, says) => {
    expect(read(format, line)).toMatchObject(says);
  });

  it.each([
    ['aws-alb', `tls ${albHead.slice(6)} 0 0 0 200 200 1 2 "GET / HTTP/1.1" "-"`],
    ['aws-alb', `constructor ${albHead.slice(6)} 0 0 0 200 200 1 2 "GET / HTTP/1.1" "-"`],
    ['aws-alb', `${albHead} x 0 0 200 200 1 2 "GET / HTTP/1.1" "-"`],
    ['haproxy-http', '10.1.2.3:5000 [01/Aug/2022:03:04:05.678] front/back: SSL handshake failure'],
    ['haproxy-http', '10.1.2.3:5000 [01/Aug/2022:03:04:05.678] tcp tcp/one 1/2/3 739 -- 5/4/3/2/0 0/0'],
    ['envoy', '[2022-08-01 03:04:05.678][12][info][main] [source/server.cc:1] starting "x" 1 2 3'],
    ['squid', '2022/08/01 03:04:05| Starting Squid Cache'],
    ['npmplus', '2022/08/01 03:04:05 [error] 12#12: *1 open() failed'],
  ])('%s refuses %s', (format, line) => {
    expect(read(format, line)).toBe('line_malformed');
  });
});

describe('CloudFront', () => {
  const fields = '#Fields: date time sc-bytes c-ip cs-method cs-uri-stem sc-status cs(User-Agent) time-taken cs-bytes';
  const line = '2022-08-01\t03:04:05\t700\t10.1.2.3\tGET\t/a%20b\t000\tcurl%2520x\t0.113\t62\t';

  it('reads the columns that the header names', () => {
    const parser = findLogFormat('aws-cloudfront')!.open();
    expect([parser.parse('#Version: 1.0'), parser.parse(fields)]).toEqual(['header', 'header']);
    const parsed = parser.parse(line);
    expect(parsed).toMatchObject({
      path: '/a%20b',
      bytesIn: 62,
      bytesOut: 700,
      durationUs: 113_000,
      userAgent: 'curl x',
    });
    expect(parsed).toMatchObject({ status: undefined });
  });

  it('goes on in the middle of a file, given its head', () => {
    const parser = findLogFormat('aws-cloudfront')!.open(`#Version: 1.0\n${fields}\n`);
    expect(parser.parse(line)).toMatchObject({ clientIp: '10.1.2.3' });
  });

  it('without a header, fewer columns than AWS ever wrote are refused', () => {
    expect(read('aws-cloudfront', line)).toBe('line_malformed');
  });
});
