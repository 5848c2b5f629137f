import { describe, expect, it } from 'vitest';
import { Failure } from '../../model/index.ts';
import { findLogFormat } from './formats.ts';

const NGINX = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent $request_time';
const APACHE = '%h %l %u %t "%r" %>s %b %D';
const front = '10.1.2.3 - ada [01/Aug/2022:03:04:05 +0000] "GET /a?b HTTP/1.1" 200 42';
const tsUs = Date.UTC(2022, 7, 1, 3, 4, 5) * 1000;

const read = (pattern: string, line: string) => findLogFormat(`pattern:${pattern}`)!.open().parse(line);

describe('a pattern of the user', () => {
  it.each<readonly [pattern: string, line: string, says: object]>([
    [
      NGINX,
      `${front} 0.015`,
      { tsUs, path: '/a', query: 'b', status: 200, bytesOut: 42, durationUs: 15_000, user: 'ada' },
    ],
    [APACHE, `${front} 1234`, { tsUs, path: '/a', status: 200, bytesOut: 42, durationUs: 1234 }],
    [
      '%h %t \\"%r\\" %>s %T',
      '10.1.2.3 [01/Aug/2022:03:04:05 +0000] "GET /a HTTP/1.1" 200 3',
      { durationUs: 3_000_000 },
    ],
    [
      '%{usec}t %{ms}T %m %U%q %v:%p',
      '1659323045000007 15 GET /a?b h:80',
      { tsUs: tsUs + 7, durationUs: 15_000, query: 'b', host: 'h' },
    ],
    [
      '%t %I %O "%{User-Agent}i" "%{Cookie}i"',
      '[01/Aug/2022:03:04:05 +0000] 5 42 "a \\"b\\"" "c"',
      { bytesIn: 5, bytesOut: 42, userAgent: 'a "b"' },
    ],
    [
      '$msec|$upstream_response_time|$host|$_',
      '1659323045.678|0.010, 0.005|h|x',
      { tsUs: tsUs + 678_000, durationUs: 15_000, host: 'h' },
    ],
    [
      '$time_iso8601 $upstream_addr $upstream_response_time $status',
      '2022-08-01T03:04:05Z 10.0.0.1:80, 10.0.0.2:80 0.1, 0.2 200',
      { status: 200, durationUs: 300_000 },
    ],
    [
      "'$time_local '\n  '\"$request\" $" + "{status}'",
      '01/Aug/2022:03:04:05 +0000 "GET /a HTTP/1.1" 200',
      { tsUs, path: '/a', status: 200 },
    ],
    [
      '{"t":"$time_iso8601","s":$status,"u":"$http_user_agent"}',
      '{"t":"2022-08-01T03:04:05Z","s":200,"u":"a \\"b"}',
      { userAgent: 'a "b' },
    ],
  ])('%s', (pattern, line, says) => {
    expect(read(pattern, line)).toMatchObject(says);
  });

  it.each([
    [NGINX, front],
    [NGINX, `${front} 0.015`.replace('01/Aug', '1/Aug')],
    [APACHE, 'some text'],
    ['$time_local "$request"', '01/Aug/2022:03:04:05 +0000 "GET / HTTP/1.1'],
  ])('%s refuses %s', (pattern, line) => {
    expect(read(pattern, line)).toMatch(/^(line_malformed|time_invalid)$/);
  });

  it.each([
    ['', 'no variable'],
    ['some text', 'no variable'],
    ['$remote_addr $status', 'no time'],
    ['%h %>s', 'no time'],
    ['$time_local $remote_adr', '$remote_adr'],
    ['%t %y', '%y'],
    ['%{%Y-%m-%d}t', '%{%Y-%m-%d}t'],
    ['$time_local $host$request_uri', 'nothing stands between $host and $request_uri'],
    ['%t %h%u', 'nothing stands between %h and %u'],
    ['$status '.repeat(1000), 'longer than 4096'],
  ])('%s cannot be followed: %s', (pattern, problem) => {
    const failure = caught(() => findLogFormat(`pattern:${pattern}`));
    expect(failure.code).toBe('FORMAT_UNKNOWN');
    expect(failure.problems.map(({ message }) => message).join('\n')).toContain(problem);
  });
});

function caught(act: () => unknown): Failure {
  try {
    act();
  } catch (cause) {
    if (cause instanceof Failure) return cause;
    throw cause;
  }
  throw new Error('nothing was thrown');
}
