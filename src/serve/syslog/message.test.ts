import { describe, expect, it } from 'vitest';
import { readSyslog } from './message.ts';

const line = '10.0.0.1 - - [01/Aug/2022:03:04:05 +0000] "GET /a HTTP/1.1" 200 42';

describe('a syslog message', () => {
  it.each<readonly [string, string, string, string]>([
    ['of nginx', `<190>Aug  1 03:04:05 web-1 nginx: ${line}`, 'nginx', line],
    ['of nginx with nohostname and a tag', `<190>Aug  1 03:04:05 gateway: ${line}`, 'gateway', line],
    ['of HAProxy, without a host', `<134>Aug  1 03:04:05 haproxy[14389]: ${line}`, 'haproxy', line],
    ['of HAProxy with a host', `<134>Aug 11 03:04:05 lb.example haproxy[1]: ${line}\n`, 'haproxy', line],
    ['with an IPv6 host', `<134>Aug 11 03:04:05 fe80::1 haproxy[1]: ${line}`, 'haproxy', line],
    ['with a time of RFC 3339', `<134>2022-08-01T03:04:05.1+00:00 web-1 nginx: ${line}`, 'nginx', line],
    ['without a time', `<134>nginx: ${line}`, 'nginx', line],
    ['without a tag', `<134>Aug  1 03:04:05 ${line}`, '', line],
    ['of RFC 5424', `<165>1 2022-08-01T03:04:05Z web-1 nginx 77 - - ${line}`, 'nginx', line],
    ['with data', `<165>1 - - app - - [a@1 x="\\"\\]"][b@2] \ufeff${line}`, 'app', line],
    ['without a name', `<165>1 - - - - - - ${line}`, '', line],
    ['without a header', line, '', line],
    ['that ends with a NUL and a line feed', `<134>nginx: ${line}\n\0`, 'nginx', line],
    ['with a line feed inside', '<134>nginx: a\nb', 'nginx', 'a b'],
    ['of JSON', '<134>caddy: {"a": 1}', 'caddy', '{"a": 1}'],
    ['that is empty', '', '', ''],
  ])('%s', (_, text, tag, content) => {
    expect(readSyslog(text)).toEqual({ tag, line: content });
  });

  it.each(['<134>'.repeat(10_000), `<134>${'a '.repeat(30_000)}`, `<165>1 - - - - - [${'\\"'.repeat(30_000)}`])(
    'that was made to take long is read at once (%#)',
    (text) => {
      expect(readSyslog(text).tag).toBe('');
    },
  );
});
