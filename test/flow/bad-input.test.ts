import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningTaximeter, startTaximeter, taximeter } from '../support/taximeter.ts';
import { tempFolder } from '../support/temp-folder.ts';

const work = tempFolder('bad-input');
const data = join(work.path, 'data');
afterAll(() => work.remove());

function file(name: string, content: string | Buffer): string {
  const path = join(work.path, name);
  writeFileSync(path, content);
  return path;
}

function run(...args: string[]) {
  return taximeter([...args, '--data', data]);
}

const header =
  'BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BilledCost,EffectiveCost,ProviderName';
const row = (billed: string, currency = 'USD') =>
  `1,${currency},2025-01-01T00:00:00Z,2025-02-01T00:00:00Z,2025-01-01T00:00:00Z,2025-01-01T01:00:00Z,Usage,${billed},${billed},AWS`;
const bill = (...rows: string[]) => [header, ...rows, ''].join('\n');

const span = (traceId: string) =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [] },
        scopeSpans: [
          {
            spans: [
              {
                traceId,
                spanId: '00000000000000aa',
                kind: 2,
                startTimeUnixNano: '1735689600000000000',
                endTimeUnixNano: '1735689600000000001',
              },
            ],
          },
        ],
      },
    ],
  });

/** Everything that a command may leave behind when it fails: nothing. */
async function stored(by = run): Promise<{ calls: number; charges: number }> {
  const doctor = await by('doctor');
  const match = /(\d+) calls, (\d+) charges/.exec(doctor.out);
  return { calls: Number(match?.[1]), charges: Number(match?.[2]) };
}

// Here a server answers, below commands open the folder themselves: both go through the same API.
describe('one clear line, the right exit code, nothing half-stored', () => {
  let server: RunningTaximeter;
  beforeAll(async () => {
    server = await startTaximeter(data);
  });
  afterAll(() => server?.stop());

  const rows: [string, () => string[], number, RegExp][] = [
    ['an unknown command', () => ['fly'], 2, /unknown command/],
    ['an unknown flag', () => ['doctor', '--colour'], 2, /unknown option/],
    ['a missing flag', () => ['usage', '--from', '2025-01-01'], 2, /--to/],
    ['simulate without an aim', () => ['simulate'], 2, /--out <folder> or --send/],
    [
      'a file that is not there',
      () => ['ingest', join(work.path, 'nowhere.jsonl')],
      1,
      /file cannot be read.*nowhere\.jsonl.*ENOENT/,
    ],
    [
      'a folder with no such file',
      () => ['ingest', work.path, '--include', '*.none'],
      1,
      /cannot be read.*no such file in the folder/,
    ],
    ['a glob that nothing matches', () => ['ingest', join(work.path, '*.none')], 1, /cannot be read.*nothing matches/],
    [
      'syslog off loopback without a list of networks',
      () => ['serve', '--syslog-port', '5140'],
      1,
      /TAXIMETER_SYSLOG_ALLOW/,
    ],
    ['a bill that is not there', () => ['bill', 'import', join(work.path, 'nowhere.csv')], 1, /cannot be read.*ENOENT/],
    [
      'an unknown format',
      () => ['ingest', file('a.txt', 'hello\nworld\n')],
      1,
      /format of this input is not recognised.*--format/,
    ],
    ['a format that is none', () => ['ingest', '--format', 'morse', file('b.txt', 'x')], 1, /format morse/],
    [
      'a truncated gzip',
      () => ['ingest', file('cut.jsonl.gz', gzipSync(`${span('1'.repeat(32))}\n`.repeat(500)).subarray(0, 300))],
      1,
      /damaged or cut short/,
    ],
    [
      'a truncated gzip bill',
      () => ['bill', 'import', file('cut.csv.gz', gzipSync(bill(row('1'))).subarray(0, 60))],
      1,
      /damaged|cut short|breaks off/,
    ],
    [
      'a bill without mandatory columns',
      () => ['bill', 'import', '--format', 'focus', file('c.csv', 'ProviderName,BilledCost\nAWS,1\n')],
      1,
      /EffectiveCost/,
    ],
    [
      'money that is no number',
      () => ['bill', 'import', file('d.csv', bill(row('1'), row('12,5'.replace(',', ';'))))],
      1,
      /line 3/,
    ],
    ['money that is too large', () => ['bill', 'import', file('e.csv', bill(row('1e30')))], 1, /line 2.*too large/],
    ['an unknown currency', () => ['bill', 'import', file('f.csv', bill(row('1', 'QQQ')))], 1, /line 2.*QQQ/],
    ['an empty bill', () => ['bill', 'import', file('g.csv', '')], 1, /taximeter: /],
    ['a document that is no YAML', () => ['apply', '-f', file('h.yaml', 'a: [1\nb: }')], 1, /line \d/],
    [
      'a document of an unknown kind',
      () => ['apply', '-f', file('i.yaml', 'apiVersion: taximeter/v1\nkind: Shoe\nmetadata: { name: a }\nspec: {}\n')],
      1,
      /line 2: kind: Shoe is not known/,
    ],
    [
      'a range that ends before it begins',
      () => ['cost', '--from', '2025-02-01', '--to', '2025-01-01'],
      1,
      /ends before it begins/,
    ],
    ['a month that is none', () => ['close', '--period', '2025-13'], 1, /not a time/],
    ['a month without a bill', () => ['close', '--period', '2025-03'], 1, /cannot be closed yet/],
    [
      'a setting that is none',
      () => ['usage', '--from', '2025-01-01', '--to', '2025-01-02', '--tz', 'Mars/Base'],
      1,
      /tz Mars\/Base|time zone/,
    ],
  ];
  it.concurrent.each(rows)('%s', async (_name, args, code, words) => {
    const outside: Record<string, string> = _name.startsWith('syslog off')
      ? { TAXIMETER_HOST: '0.0.0.0', TAXIMETER_TOKEN: 'x'.repeat(20) }
      : {};
    const result = await taximeter([...args(), '--data', data], { env: outside });
    expect(result.err).toMatch(words);
    expect(result.err).not.toMatch(/\n\s+at /);
    expect(result.code).toBe(code);
  });

  it('and after all of that the store is empty', async () => {
    expect(await stored()).toEqual({ calls: 0, charges: 0 });
  });

  it('a file that cannot be read does not stop the others', async () => {
    const good = file('good.log', '10.0.0.1 - - [01/Aug/2022:03:04:05 +0000] "GET /a HTTP/1.1" 200 42 "-" "x"\n');
    const cut = file('cut.log.gz', gzipSync('x\n'.repeat(5_000)).subarray(0, 30));
    const result = await run('ingest', join(work.path, 'nowhere.log'), cut, good, '--service', 'others');
    expect([result.code, result.out]).toEqual([1, `${good}: combined, 1 accepted.\n`]);
    expect(result.err).toMatch(/nowhere\.log; reason ENOENT/);
    expect(result.err).toMatch(/damaged or cut short; file .*cut\.log\.gz/);
    expect(result.err).toContain(`${good}: format combined`);
  });

  it('lines that are refused can be found, read again as another format, and forgotten', async () => {
    const good = '10.0.0.1 - - [01/Aug/2022:03:04:05 +0000] "GET /b HTTP/1.1" 200 42 "-" "x"';
    const path = file('again.log', `${good}\n2022-08-01T03:04:06Z GET /c 201\nodd\n`);
    expect((await run('ingest', path, '--service', 'again', '--format', 'combined')).code).toBe(1);
    const listed = JSON.parse((await run('quarantine', '--json', '--source', path)).out) as { lines: object[] };
    expect(listed.lines).toMatchObject([
      { line: 3, reason: 'line_malformed', format: 'combined', text: null },
      { line: 2, offset: good.length + 1, source: path, service: 'again' },
    ]);
    const pattern = 'pattern:$time_iso8601 $request_method $uri $status';
    const retried = await run('quarantine', 'retry', '--source', path, '--format', pattern);
    expect([retried.code, retried.out]).toEqual([1, `${path}: 1 accepted, 1 still refused.\n`]);
    expect((await run('quarantine', '--csv', '--source', path)).out.split('\r\n')).toHaveLength(2);
    const usage = await run('usage', '--from', '2022-08-01', '--to', '2022-08-02', '--by', 'endpoint', '--csv');
    expect(usage.out).toContain('GET /c,1,');
    expect((await run('quarantine', 'clear', '--source', path)).out).toBe('1 lines forgotten.\n');
  });

  it('standard input is recognised', async () => {
    const line = '10.0.0.1 - - [01/Aug/2022:03:04:05 +0000] "GET /d HTTP/1.1" 200 42 "-" "x"\n';
    const result = await taximeter(['ingest', '-', '--data', data], { input: line.repeat(3) });
    expect([result.code, result.out]).toEqual([0, '-: combined, 3 accepted.\n']);
    expect(result.err).toBe('taximeter: -: format combined\n');
  });

  it('an export that is smaller than what it would replace needs --replace', async () => {
    const large = file('large.csv', bill(row('1'), row('2')));
    const small = file('small.csv', bill(row('3')));
    expect((await run('bill', 'import', large)).code).toBe(0);
    const refused = await run('bill', 'import', small);
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringMatching(/smaller than the one it would replace.*--replace/),
    ]);
    expect((await stored()).charges).toBe(2);
    expect((await run('bill', 'import', '--replace', small)).code).toBe(0);
    expect((await stored()).charges).toBe(1);
  });
});

/** Commands that find no server, and open a folder of their own. */
const alone = (...args: string[]) => taximeter([...args, '--data', join(work.path, 'alone')]);

it('a document with several errors lists all of them, each with its line', async () => {
  const text = `apiVersion: taximeter/v1
kind: CostModel
metadata: { name: shop, effectiveFrom: 2022-08-01 }
spec:
  currency: dollars
  basis: guess
  pools:
    - id: nodes
      kind: direct
      match: { ServiceName: x }
      driver: wind
    - id: nodes
      kind: sideways
      fixed: { amount: 12.5, per: month }
      driver: calls
`;
  const result = await alone('apply', '-f', file('errors.yaml', text));
  expect(result.code).toBe(1);
  for (const line of [5, 6, 11, 13, 14]) expect(result.err).toMatch(new RegExp(`line ${line}: `));
  expect((await alone('doctor')).out).toContain('no cost model');
});

it('lines that are broken are named and counted, the others are kept', async () => {
  const path = file(
    'mixed.jsonl',
    [span('a'.repeat(32)), '{"resourceSpans": [', 'nonsense', span('b'.repeat(32)), ''].join('\n'),
  );
  const result = await alone('ingest', path);
  expect(result.code).toBe(1);
  expect(result.err).toMatch(/mixed\.jsonl: line 2: /);
  expect(result.err).toMatch(/mixed\.jsonl: line 3: /);
  expect(result.out).toMatch(/2 accepted, 2 refused/);
  expect(await stored(alone)).toEqual({ calls: 2, charges: 0 });
  await alone('ingest', path);
  expect(await stored(alone)).toEqual({ calls: 2, charges: 0 });
});

it('settings that are wrong are all named, and none is ignored', async () => {
  const env = { TAXIMETER_PORT: 'many', TAXIMETER_TOKEN: 'short', TAXIMETER_SHOE: '1' };
  const result = await taximeter(['doctor', '--data', data], { env });
  expect(result.code).toBe(1);
  for (const name of Object.keys(env)) expect(result.err).toContain(name);
});

it('a data folder that cannot be written is one line', async () => {
  const blocked = file('blocked', 'a file where a folder should be');
  chmodSync(blocked, 0o400);
  const result = await taximeter([
    'usage',
    '--from',
    '2025-01-01',
    '--to',
    '2025-01-02',
    '--data',
    join(blocked, 'inside'),
  ]);
  expect([result.code, result.err]).toEqual([1, expect.stringMatching(/cannot be read/)]);
  expect(readFileSync(blocked, 'utf8')).toContain('a file');
});
