import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../../test/support/available.ts';
import { sharedData } from '../../test/support/data.ts';
import { RowWriter } from '../store/index.ts';
import { type LogLine, parseCombined } from './combined-log.ts';
import { encodeLogLine, type LogSource, parseTenantFrom, type TenantFrom } from './log-encode.ts';
import { RecordReader } from './span-record.ts';

const line = (request: string, rest = '200 5') => `10.1.2.3 - ada [01/Aug/2022:03:04:05 +0000] "${request}" ${rest}`;
const withAgent = (agent: string) => `${line('GET / HTTP/1.1')} "-" "${agent}"`;

describe('a line of the combined format', () => {
  it.each<readonly [string, string, Partial<LogLine>]>([
    ['common', line('GET /a HTTP/1.1'), { method: 'GET', path: '/a', protocol: 'HTTP/1.1', status: 200, bytesOut: 5 }],
    ['a query', line('GET /a?b=c&d HTTP/2'), { path: '/a', query: 'b=c&d', protocol: 'HTTP/2' }],
    ['an absolute target', line('GET http://h:80/p?q HTTP/1.1'), { host: 'h:80', path: '/p', query: 'q' }],
    ['an absolute target without path', line('GET http://h HTTP/1.1'), { host: 'h', path: '/' }],
    ['no bytes', line('GET / HTTP/1.1', '304 -'), { status: 304 }],
    ['an unusual method', line('PROPFIND /dav HTTP/1.1'), { method: 'PROPFIND' }],
    ['HTTP/0.9', line('GET /old'), { method: 'GET', path: '/old' }],
    ['a space in the path', line('GET /a b HTTP/1.1'), { path: '/a b', protocol: 'HTTP/1.1' }],
    ['escaped quotes in the agent', withAgent('a \\"b\\" c\\\\'), { userAgent: 'a "b" c\\' }],
    ['no agent', withAgent('-'), {}],
    ['IPv6', line('GET / HTTP/1.1').replace('10.1.2.3', '2001:db8::1'), { clientIp: '2001:db8::1' }],
    ['a user with spaces', line('GET / HTTP/1.1').replace('ada', 'ada lovelace'), { user: 'ada lovelace' }],
  ])('%s', (_, text, expected) => {
    expect(parseCombined(text)).toMatchObject({ tsMs: Date.UTC(2022, 7, 1, 3, 4, 5), ...expected });
  });

  it.each([
    ['TLS bytes', '\\x16\\x03\\x01'],
    ['nothing', ''],
    ['a dash', '-'],
    ['one word', 'HELP'],
  ])('a request of %s counts, without method and path', (_, request) => {
    const parsed = parseCombined(line(request, '400 150'))!;
    expect(parsed).toMatchObject({ status: 400, bytesOut: 150 });
    expect([parsed.method, parsed.path]).toEqual([undefined, undefined]);
  });

  it.each([
    ['+0200', Date.UTC(2022, 7, 1, 1, 4, 5)],
    ['-0330', Date.UTC(2022, 7, 1, 6, 34, 5)],
  ])('its zone %s is taken into account', (zone, tsMs) => {
    expect(parseCombined(line('GET / HTTP/1.1').replace('+0000', zone))?.tsMs).toBe(tsMs);
  });

  it.each([
    ['nothing', ''],
    ['text', 'not a log line'],
    ['a day that does not exist', line('GET / HTTP/1.1').replace('01/Aug', '31/Jun')],
    ['a month that does not exist', line('GET / HTTP/1.1').replace('Aug', 'Abc')],
    ['an hour that does not exist', line('GET / HTTP/1.1').replace(':03:04', ':25:04')],
    ['a year that no clock shows', line('GET / HTTP/1.1').replace('2022', '9999')],
    ['a year before the web', line('GET / HTTP/1.1').replace('2022', '1969')],
    ['a size beyond any double', line('GET / HTTP/1.1', '200 99999999999999999999')],
    ['no quotes', '10.1.2.3 - - [01/Aug/2022:03:04:05 +0000] GET / 200 5'],
    ['cut short', line('GET / HTTP/1.1').slice(0, -4)],
  ])('%s is no such line', (_, text) => {
    expect(parseCombined(text)).toBeNull();
  });

  it('any text is a line or not, and what is a line can be stored', () => {
    const fields = fc.tuple(fc.string(), fc.string(), fc.nat(99_999), fc.nat(40), fc.nat(10_000));
    fc.assert(
      fc.property(fields, ([user, request, status, day, year]) => {
        const text = `h - ${user} [${day}/Aug/${year}:03:04:05 +0000] "${request}" ${status} 5`;
        for (const raw of [text, user]) {
          const parsed = parseCombined(raw);
          if (parsed) encodeLogLine(new RowWriter(64), parsed, source({ from: 'none' }), 0, raw, Buffer.alloc(0));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('a hostile line of 100,000 characters is decided at once, not in quadratic time', () => {
    for (const piece of [' ', '[', '"', '\\', '] "', 'a [01/Aug/2022:']) {
      expect(parseCombined(`h - ${piece.repeat(100_000 / piece.length)}`)).toBeNull();
    }
  });
});

const source = (tenantFrom: TenantFrom): LogSource => ({ service: 'web', tenantFrom, fingerprint: 'f' });

function stored(text: string, tenantFrom: TenantFrom = { from: 'none' }, offset = 0) {
  const writer = new RowWriter(64);
  encodeLogLine(writer, parseCombined(text)!, source(tenantFrom), offset, text, Buffer.alloc(0));
  const reader = new RecordReader(writer.bytes());
  reader.u32();
  return { span: reader.sent(1, 0), bytes: writer.bytes().toString('latin1') };
}

describe('what is stored of a line', () => {
  const personal = `203.0.113.7 - ada@example.com [01/Aug/2022:03:04:05 +0000] "GET /u/ada@example.com/10.9.8.7?token=secret HTTP/1.1" 200 5 "http://from/?s=1" "Agent/7"`;

  it('endpoint, status, size and a pseudonym; no address, e-mail, query, referer or agent', () => {
    const { span, bytes } = stored(personal);
    expect(span).toMatchObject({
      endpoint: 'GET /u/{email}/{ip}',
      consumer: expect.stringMatching(/^p_[0-9a-f]{20}$/),
    });
    for (const secret of [
      '203.0.113.7',
      'ada@',
      'example.com',
      '10.9.8.7',
      'token',
      'secret',
      'http://from',
      'Agent',
    ]) {
      expect(bytes).not.toContain(secret);
    }
  });

  it('the same user is the same consumer', () => {
    expect(stored(personal).span.consumer).toBe(stored(personal.replace('/u/', '/v/')).span.consumer);
  });

  it.each<readonly [string, string]>([
    ['none', ''],
    ['fixed:acme', 'acme'],
    ['path:1', 'u'],
    ['path:9', ''],
    ['host', ''],
  ])('with --tenant-from %s its tenant is "%s"', (rule, tenant) => {
    expect(stored(personal, parseTenantFrom(rule)!).span.tenant).toBe(tenant);
  });

  it('with --tenant-from user an e-mail address is a pseudonym', () => {
    expect(stored(personal, { from: 'user' }).span.tenant).toMatch(/^p_/);
  });

  it.each(['path:0', 'path:21', 'path:x', 'fixed:', 'nobody', 'path'])('--tenant-from %s is none', (rule) => {
    expect(parseTenantFrom(rule)).toBeNull();
  });

  it('the same line at the same place is the same call, at another place another one', () => {
    expect(stored(personal).span.traceKey).toBe(stored(personal).span.traceKey);
    expect(stored(personal, { from: 'none' }, 1).span.traceKey).not.toBe(stored(personal).span.traceKey);
  });
});

interface Judged {
  readonly id: string;
  readonly line: string;
  readonly expect?: Record<string, string | number>;
}

const asPrinted = ({ tsMs, bytesIn, bytesOut, durationUs, clientIp, userAgent, ...same }: LogLine) => ({
  ...same,
  ts: tsMs,
  bytes_in: bytesIn,
  bytes_out: bytesOut,
  duration_us: durationUs,
  client_ip: clientIp,
  user_agent: userAgent,
});

const judged = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Judged);

for (const format of ['nginx-combined', 'apache-combined', 'common']) {
  describeWith(sharedData(`log-formats/${format}.jsonl`), `${format} lines that other projects test with`, (path) => {
    it.each(judged(path).map((each) => [each.id, each] as const))('%s', (_, { line: text, expect: expected }) => {
      const { ts, ...others } = expected!;
      const parsed = parseCombined(text);
      expect(parsed).not.toBeNull();
      expect(asPrinted(parsed!)).toMatchObject(others);
      if (ts !== undefined) expect(parsed!.tsMs).toBe(Date.parse(String(ts)));
    });
  });

  describeWith(sharedData(`log-formats/${format}.bad.jsonl`), `${format}: what is no such line`, (path) => {
    it.each(judged(path).map((each) => [each.id, each] as const))('%s', (_, { line: text }) => {
      expect(parseCombined(text)).toBeNull();
    });
  });
}

describeWith(sharedData('access-log/apache-10000.log.gz'), 'a real log of 10,000 lines', (path) => {
  const lines = gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n').map(parseCombined);

  it('adds up to what its description says', () => {
    const parsed = lines.filter((each) => each !== null);
    const statuses: Record<string, number> = {};
    for (const { status } of parsed) statuses[String(status)] = (statuses[String(status)] ?? 0) + 1;
    expect(parsed).toHaveLength(10_000);
    expect(parsed.reduce((sum, { bytesOut }) => sum + (bytesOut ?? 0), 0)).toBe(2_747_282_740);
    expect(parsed.filter(({ bytesOut }) => bytesOut === undefined)).toHaveLength(669);
    expect(statuses).toEqual({ 200: 9126, 304: 445, 404: 213, 301: 164, 206: 45, 500: 3, 403: 2, 416: 2 });
    expect(new Set(parsed.map(({ clientIp }) => clientIp)).size).toBe(1_753);
  });
});

it('takes no time over agents that were made to be expensive', () => {
  const line = (agent: string) => `1.2.3.4 - - [01/Jan/2025:00:00:00 +0000] "GET / HTTP/1.1" 200 5 "-" "${agent}" "x"`;
  expect(parseCombined(line(`a${' '.repeat(60_000)}b`))).toBeNull();
  expect(parseCombined(line('a'.repeat(20_000_000)))).toBeNull();
});
