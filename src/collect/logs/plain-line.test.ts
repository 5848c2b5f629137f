import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EndpointRules, endpointMapSpec } from '../naming/endpoint-map.ts';
import { newNaming } from '../naming/naming.ts';
import { TenantRules, tenantMapSpec } from '../naming/tenant-map.ts';
import { plainColumns, textColumns } from '../table/columns.ts';
import { measures, type SpanTable } from '../table/span-table.ts';
import { alb } from './aws-load-balancer.ts';
import { combined, common } from './combined.ts';
import { LogIntake } from './log-intake.ts';
import type { LogFormat } from './log-line.ts';
import type { LogSource, TenantFrom } from './log-source.ts';
import { takeLines } from './take-lines.ts';

const source = (tenantFrom: TenantFrom): LogSource => ({
  service: 'shop',
  host: 'web-1',
  tenantFrom,
  fingerprint: 'f',
});

/** Everything that a table says, with texts as texts. */
function rowsOf(table: SpanTable): unknown[] {
  return Array.from({ length: table.rows }, (_, row) => [
    ...plainColumns.map(({ field, stride }) => [...table[field].subarray(row * stride, row * stride + stride)]),
    ...textColumns.map(({ field }) => table.texts.string(table[field][row]!)),
    ...measures.map((_, which) => table.measures[which]?.[row] ?? Number.NaN),
  ]);
}

/** What is taken of a body with and without the quicker way, twice: the second time the texts are known. */
function taken(
  format: LogFormat,
  body: Buffer,
  { tenantFrom = { from: 'none' } as TenantFrom, naming = newNaming() } = {},
) {
  const [withPlain, { plain: _, ...without }] = [format, format];
  return [withPlain, without].map((each) => {
    const intake = new LogIntake(naming);
    return [0, 65_000].map((offset) => {
      const log = { source: source(tenantFrom), format: each, offset, head: undefined, isCounted: true };
      const { accepted, refused, malformed } = takeLines(intake, body, log);
      return { accepted, refused: [...refused.byReason], malformed, rows: rowsOf(intake.table) };
    });
  });
}

/** Plain far more often than chance would have it: most strange lines are strange in one place. */
const mostly = <Value>(plain: Value, ...strange: readonly Value[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(plain) }, { weight: 1, arbitrary: fc.constantFrom(...strange) });

const word = mostly('-', 'ann', 'bob smith', 'ü', '[x', 'a"b', '', 'eve@example.org', '4111 1111 1111 1111');
const method = mostly('GET', 'POST', 'get', 'CONNECT', 'M-SEARCH', '', 'GET ', 'X'.repeat(41));
const target = mostly(
  ...[
    '/',
    '/v1/orders/81726354?q=1',
    '/a b/c',
    '//x',
    '*',
    'example.org:443',
    'http://example.org',
    '/é',
    '/a\\"b',
    '/a?b?c',
  ],
  ...[
    'https://example.org:443/p/7?x',
    'http://u:p@example.org/x',
    'https:///x',
    'http://h?x=/y',
    `/${'a'.repeat(600)}`,
    '/#f',
  ],
);
const protocol = mostly('HTTP/1.1', 'HTTP/2', 'HTTP/2.0', 'HTTP/1.10', 'RTSP/1.0', 'http/1.1', '', 'HTTP/x');
const request = fc.tuple(method, target, protocol).map((parts) => parts.join(' '));
const status = mostly('200', '503', '-', '000', '99', '2000', '007');
const size = mostly('0', '12', '-', '', '12x', '9007199254740991', '9007199254740993', '1'.repeat(16));
const zone = mostly(' +0000', ' -0730', '', ' +2500', ' Z', '.123 +0000');
const clock = mostly('10:00:00', '10:00:59', '10:01:60', '24:00:00', '23:59:61', '1:00:00');
const day = mostly('05/Oct/2026', '31/Feb/2026', '05/oct/2026', '01/Jan/1980', '5/Oct/2026');
const tail = mostly(
  ...[
    '',
    ' "-" "-"',
    ' "-" "curl/8"',
    ' "https://a b" "Mozilla "quoted" x"',
    ' "-"',
    ' - -',
    ' -',
    ' "x" y',
    ' 17',
    '  ',
  ],
  ...[' "a\\"b" "c"', ' "-" "cut', ' "-" "ü"', ' "-" "-" 0.5', '\r'],
);
const host = mostly('10.0.0.1', '::1', 'h', '', '1.2.3.4,', '<13>x', 'Oct', '2026-10-05T10:00:00Z', 'ü', '{');
const clfLine = fc
  .tuple(host, word, word, day, clock, zone, request, status, size, tail)
  .map(
    ([from, ident, user, date, time, east, call, code, bytes, end]) =>
      `${from} ${ident} ${user} [${date}:${time}${east}] "${call}" ${code} ${bytes}${end}`,
  );
const seconds = mostly('0.086', '-1', '-', '12', '0.1234567', '1.', '.5', '0.000', 'x', '1234567890.5');
const iso = mostly(
  '2026-10-05T10:00:00.186641Z',
  ...['2026-10-05T10:01:59.1Z', '2026-10-05T10:00:00Z', '2026-02-31T10:00:00.1Z'],
  ...[
    '2026-10-05 10:00:00.1Z',
    '2026-10-05T10:00:00.1234567Z',
    '2026-10-05T10:00:00.1+02:00',
    '2026-10-05T10:00:60.1Z',
    '',
  ],
);
const albTail = mostly(
  ' "curl/8" ECDHE TLSv1.2 arn "Root=1-2" "-" "-"',
  ...['', ' "a"b" x', ' "a\\" b', ' -', ' "ü" x', ' "x"', '  "x"'],
);
const albLine = fc
  .tuple(
    mostly('https', 'http', 'h2', 'grpcs', 'ws', 'tcp', 'Http'),
    fc.tuple(iso, mostly('app/lb/1', ''), host, mostly('10.0.0.1:80', '-')),
    fc.tuple(seconds, seconds, seconds),
    fc.tuple(status, status, size, size),
    request,
    albTail,
  )
  .map(([kind, words, times, counts, call, end]) => [kind, ...words, ...times, ...counts, `"${call}"${end}`].join(' '));

const plainClf = fc
  .tuple(fc.nat({ max: 3 }), fc.nat({ max: 59 }), fc.constantFrom('-', 'ann', 'bob'), fc.nat({ max: 9_999 }))
  .map(
    ([minute, second, user, bytes]) =>
      `10.0.0.1 - ${user} [05/Oct/2026:10:0${minute}:${String(second).padStart(2, '0')} +0000] "GET /v1/orders/${bytes}?a=b HTTP/1.1" 200 ${bytes} "-" "curl/8"`,
  );
const plainAlb = fc
  .tuple(fc.nat({ max: 59 }), fc.nat({ max: 999_999 }), fc.nat({ max: 9_999 }))
  .map(
    ([second, micro, bytes]) =>
      `https 2026-10-05T10:00:${String(second).padStart(2, '0')}.${micro}Z app/lb/1 10.0.0.1:2817 10.0.0.2:80 0.${micro} 0.048 0.037 200 200 ${bytes} 57 "GET https://shop.example:443/v1/orders/${bytes} HTTP/1.1" "curl/8" ECDHE TLSv1.2 arn "Root=1-2"`,
  );
const damaged = (line: fc.Arbitrary<string>) =>
  fc
    .tuple(line, fc.nat({ max: 200 }), fc.nat({ max: 2 }), fc.constantFrom('', ' ', '"', '\\', 'é', '\0', '[', '0'))
    .map(([text, at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone));
const bodyOf = (line: fc.Arbitrary<string>, plain: fc.Arbitrary<string>) =>
  fc
    .array(fc.oneof(line, plain, damaged(plain)), { minLength: 1, maxLength: 12 })
    .map((lines) => Buffer.from(lines.join('\n')));

describe.each([
  ['combined', combined, bodyOf(clfLine, plainClf)],
  ['common', common, bodyOf(clfLine, plainClf)],
  ['aws-alb', alb, bodyOf(albLine, plainAlb)],
] as const)('%s', (_, format, bodies) => {
  it('reads plain lines as its parser does, and leaves it all others', () => {
    const rule = fc.constantFrom<TenantFrom>({ from: 'none' }, { from: 'user' }, { from: 'fixed', tenant: 'acme' });
    fc.assert(
      fc.property(bodies, rule, (body, tenantFrom) => {
        const [plain, parsed] = taken(format, body, { tenantFrom });
        expect(plain).toEqual(parsed);
      }),
      { numRuns: 600 },
    );
  });

  it('does so with bytes that are no UTF-8, and in lines of any length', () => {
    const long = `10.0.0.1 - - [05/Oct/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "${'x'.repeat(70_000)}"`;
    const bytes = fc.tuple(bodies, fc.uint8Array({ maxLength: 4 }), fc.nat()).map(([body, put, at]) => {
      const place = at % body.length;
      return Buffer.concat([body.subarray(0, place), put, body.subarray(place), Buffer.from(`\n${long}\n`)]);
    });
    fc.assert(
      fc.property(bytes, (body) => {
        const [plain, parsed] = taken(format, body);
        expect(plain).toEqual(parsed);
      }),
      { numRuns: 200 },
    );
  });
});

it.each<readonly [string, LogFormat, string]>([
  ['combined', combined, fc.sample(plainClf, { seed: 1, numRuns: 1 })[0]!],
  ['aws-alb', alb, fc.sample(plainAlb, { seed: 1, numRuns: 1 })[0]!],
])('an ordinary line of %s is plain', (_, format, text) => {
  const bytes = Buffer.from(text);
  expect(format.plain?.().read(bytes, 0, bytes.length)).toBe(true);
});

it('documents name plain lines as all others', () => {
  const body = Buffer.from(fc.sample(plainClf, { seed: 2, numRuns: 50 }).join('\n'));
  const endpoints = new EndpointRules([
    endpointMapSpec.parse({ routes: ['GET /v1/orders/{order}'], rename: { 'GET /v1/orders/{order}': 'order' } }),
  ]);
  const named = newNaming(undefined, endpoints);
  const [plain, parsed] = taken(combined, body, { naming: named, tenantFrom: { from: 'user' } });
  expect(plain).toEqual(parsed);
  const asked = newNaming(new TenantRules([tenantMapSpec.parse({ consumers: { ann: 'acme' }, unknown: 'refuse' })]));
  const [told, read] = taken(combined, body, { naming: asked });
  expect(told).toEqual(read);
});
