import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../../../test/support/available.ts';
import { repository, sharedData } from '../../../test/support/data.ts';
import { detectLogFormat } from './detect.ts';
import { findLogFormat, logFormatNames, logFormats } from './formats.ts';
import { lineRefusals } from './log-line.ts';
import { shownLogLine } from './shown.ts';

interface Judged {
  readonly id: string;
  readonly line: string;
  readonly expect?: Readonly<Record<string, string | number>>;
}

const judged = (path: string) =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text) as Judged);

const good = (
  'apache-combined aws-alb aws-cloudfront aws-elb-classic aws-s3 caddy-json common envoy envoy-json haproxy-http ' +
  'nginx-combined nginx-ingress nginx-main squid traefik-clf traefik-json'
).split(' ');
const bad = 'apache-combined caddy-json common haproxy-http nginx-combined nginx-main traefik-json'.split(' ');

for (const name of good) {
  describeWith(sharedData(`log-formats/${name}.jsonl`), `${name} lines that other projects test with`, (path) => {
    const format = findLogFormat(name)!;
    const lines = judged(path);

    it.each(lines.map((each) => [each.id, each] as const))('%s', (_, { line, expect: expected }) => {
      const parsed = format.open().parse(line);
      expect(parsed).toBeTypeOf('object');
      const { ts, ...fields } = typeof parsed === 'string' ? {} : shownLogLine(parsed);
      const { ts: expectedTs, ...others } = expected!;
      expect(withPlainAgent(fields)).toMatchObject(withPlainAgent(others));
      // As fine as the other project is.
      if (expectedTs !== undefined) expect(`${String(ts).slice(0, String(expectedTs).length - 1)}Z`).toBe(expectedTs);
    });

    it('are recognised', () => {
      const text = lines.map(({ line }) => `${line}\n`).join('');
      expect(detectLogFormat(text)?.name).toBe(format.name);
    });
  });
}

/** CloudFront encodes agents, once or twice; we do not. */
function withPlainAgent(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { user_agent: agent, ...others } = fields;
  if (typeof agent !== 'string') return others;
  return { ...others, user_agent: decodeURIComponent(agent.replaceAll('%25', '%')) };
}

for (const name of bad) {
  describeWith(sharedData(`log-formats/${name}.bad.jsonl`), `${name}: what is no such line`, (path) => {
    it.each(judged(path).map((each) => [each.id, each.line] as const))('%s', (_, line) => {
      expect(lineRefusals).toContain(findLogFormat(name)!.open().parse(line));
      expect(detectLogFormat(line)).toBeNull();
    });
  });
}

const seeds = [
  '10.1.2.3 - ada [01/Aug/2022:03:04:05 +0000] "GET /a?b HTTP/1.1" 200 42 "-" "agent" 462 0.050 [a] [b] "x" 7 "r" "u" 2ms',
  'https 2022-08-01T03:04:05.1Z app/lb/1 10.1.2.3:1 10.0.0.1:80 0.1 -1 0 200 - 5 7 "GET http://u@h:80/a b HTTP/1.1" "x" - -',
  '10.1.2.3:1 [01/Aug/2022:03:04:05.678] f b/s 0/0/0/1/+2 200 7 - - ---- 1/1/0/1/0 0/0 {a} "GET / HTTP/1.1"',
  '[2022-08-01T03:04:05.678Z] "POST /a HTTP/2" 204 - 154 0 226 100 "10.1.2.3" "a" "id" "h" "tcp://10.0.2.1:80"',
  '[01/Aug/2022:03:04:05 +0000] - 200 200 - GET https h "/a" [Client 10.1.2.3] [Length 42] [Gzip -] [Sent-to h] "a" "-"',
  '<134>1 2022-08-01T03:04:05Z web1 nginx 12 - [a b="c"] 1659323045.678 16 10.1.2.3 TCP_MISS/200 2 GET http://h/ - D/- -',
  '{"ts":1659323045.6,"msg":"handled request","request":{"uri":"/a","headers":{"User-Agent":["x"]}},"duration":"1ms","status":200}',
  '{"start_time":"2022-08-01T03:04:05Z","response_code":200,"started_at":1,"latencies":{},"time":"","path":"/","requestId":"1"}',
  '"EVENT_TYPE","TIMESTAMP"\n"RestApi","20220801030405.678"\n"API","2022',
  '2022-08-01\t03:04:05\tX\t7\t10.1.2.3\tGET\th\t/a\t000\t-\tcurl%25\t-\t-\tHit\tid\th\thttps\t62\t0.1',
];
const patterns = ['$remote_addr [$time_local] "$request" $status', '%h %l %u %t "%r" %>s %b "%{User-Agent}i" %D'];
const all = [...logFormats, ...patterns.map((pattern) => findLogFormat(`pattern:${pattern}`)!)];

describe('every format', () => {
  const mutated = fc
    .tuple(fc.constantFrom(...seeds), fc.nat(200), fc.nat(6), fc.string({ unit: 'binary', maxLength: 6 }))
    .map(([seed, at, gone, text]) => seed.slice(0, at) + text + seed.slice(at + gone));

  it.each(all.map((format) => [format.name, format] as const))('%s takes any line without harm', (_, format) => {
    const parser = format.open();
    fc.assert(
      fc.property(fc.oneof(mutated, fc.string({ unit: 'binary' }), fc.string()), (text) => {
        const parsed = parser.parse(text);
        if (typeof parsed === 'string') {
          expect([...lineRefusals, 'header']).toContain(parsed);
          return;
        }
        const shown = shownLogLine(parsed);
        expect(shown.ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:\d{3})?Z$/);
        const numbers = [shown.status, shown.bytes_in, shown.bytes_out, shown.duration_us, shown.records];
        for (const value of numbers)
          expect(value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0)).toBe(true);
        for (const value of Object.values(shown)) expect(['', '-']).not.toContain(value);
      }),
      { numRuns: 400 },
    );
  });

  it.each(all.map((format) => [format.name, format] as const))('%s decides hostile lines at once', (_, format) => {
    const parser = format.open();
    for (const piece of [
      ' ',
      '[',
      '"',
      '\\',
      '\\"',
      '] "',
      '" 200 ',
      'a [01/Aug/2022:',
      '{"a":',
      ',',
      '\t',
      '/',
      ': ',
    ]) {
      for (const seed of ['', ...seeds.map((each) => each.slice(0, each.length / 2))]) {
        const line = (seed + piece.repeat(65_536 / piece.length)).slice(0, 65_536);
        expect(() => parser.parse(line)).not.toThrow();
      }
    }
    expect(parser.parse('x'.repeat(65_537))).toBe('line_too_long');
  });

  it('is in the reference, and nothing else is', () => {
    const page = readFileSync(join(repository, 'docs/reference/log-formats.md'), 'utf8');
    const table = page.slice(page.indexOf('## Formats'), page.indexOf('## Reasons'));
    const rows = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell]) => cell!.replaceAll('`', '').split(', '));
    expect(rows.sort()).toEqual([...logFormatNames]);
    const reasons = [...page.slice(page.indexOf('## Reasons')).matchAll(/^\| `(\w+)`/gm)].map(([, reason]) => reason);
    expect(reasons).toEqual([...lineRefusals]);
  });
});

describe('detection', () => {
  const combined = '10.1.2.3 - - [01/Aug/2022:03:04:05 +0000] "GET /a HTTP/1.1" 200 42 "-" "agent"';
  const error = '2022/08/01 03:04:05 [error] 31#31: *1 open() "/x" failed (2: No such file or directory)';
  const repeated = (...lines: string[]) => `${lines.join('\n')}\n`;

  it.each<readonly [about: string, text: string, name: string | null]>([
    ['nothing', '', null],
    ['blank lines', '\n\n', null],
    ['text', 'hello\nworld\n', null],
    ['OTLP', '{"resourceSpans":[]}\n', null],
    ['an error log', repeated(error, error), null],
    ['mostly an error log', repeated(error, error, combined), null],
    ['a few errors in between', repeated(combined, combined, error, combined), 'combined'],
    ['one line without its end', combined, 'combined'],
    ['common', repeated(combined.slice(0, combined.indexOf(' "-"'))), 'common'],
    ['%D at the end', repeated(`${combined} 1234`), 'apache-d'],
    ['%T at the end', repeated(`${combined} 0`), 'combined'],
    ['nginx time at the end', repeated(`${combined} 0.123`), 'combined'],
    ['a virtual host', repeated(`h.example:443 ${combined}`), 'apache-vhost'],
    ['a container runtime', repeated(`2026-01-01T00:00:00.000Z stdout F ${combined}`), 'combined'],
    ['Salesforce', '"EVENT_TYPE","TIMESTAMP","URI"\n"RestApi","20220801030405.678","/a"\n', 'salesforce-elf'],
    [
      'API Gateway',
      '{"requestId":"1","requestTime":"01/Aug/2022:03:04:05 +0000","httpMethod":"GET","status":"200"}\n',
      'aws-apigateway-json',
    ],
    ['Kong', '{"started_at":1659323045678,"request":{"uri":"/a"},"latencies":{"request":1}}\n', 'kong-json'],
    [
      'nginx JSON',
      '{"time_local":"01/Aug/2022:03:04:05 +0000","request":"GET / HTTP/1.1","status":"200"}\n',
      'nginx-json',
    ],
    ['NPMplus', '[01/Aug/2022:03:04:05 +0000] h 10.1.2.3 0.123 "GET /a HTTP/2.0" 200 10 300 - x\n', 'npmplus'],
    [
      'Caddy among its other records',
      '{"level":"info","ts":1659323045,"msg":"starting"}\n{"ts":1659323045.6,"msg":"handled request","request":{"uri":"/a"},"status":200}\n',
      'caddy-json',
    ],
  ])('%s', (_, text, name) => {
    expect(detectLogFormat(text)?.name ?? null).toBe(name);
  });
});
