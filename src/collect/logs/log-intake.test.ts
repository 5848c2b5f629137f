import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../../../test/support/available.ts';
import { sharedData } from '../../../test/support/data.ts';
import { newNaming } from '../naming/naming.ts';
import { TenantRules, tenantMapSpec } from '../naming/tenant-map.ts';
import { combined } from './combined.ts';
import { LogIntake } from './log-intake.ts';
import type { LogLine } from './log-line.ts';
import { type LogSource, parseTenantFrom, type TenantFrom } from './log-source.ts';

const personal =
  '203.0.113.9 - ada@example.com [01/Jan/2025:10:00:00 +0100] "GET /u/ada@example.com/4711?token=secret HTTP/1.1" 503 17 "https://h/ref?key=secret" "agent/1"';
const source = (tenantFrom: TenantFrom = { from: 'none' }, more: Partial<LogSource> = {}): LogSource => ({
  ...{ service: 'front', host: '', tenantFrom, fingerprint: 'log' },
  ...more,
});

function stored(raw: string, from: LogSource = source(), offset = 0) {
  const intake = new LogIntake();
  intake.begin();
  intake.add(combined.open().parse(raw) as LogLine, from, offset, raw);
  const { table } = intake;
  const text = (column: Uint32Array) => table.texts.string(column[0]!);
  return {
    identity: [...table.trace.subarray(0, 4), ...table.span.subarray(0, 2)].join(),
    payload: intake.payload().toString('latin1'),
    start: (BigInt(table.start[1]!) << 32n) + BigInt(table.start[0]!),
    ...{ endpoint: text(table.endpoint), consumer: text(table.consumer), tenant: text(table.tenant) },
    ...{ service: text(table.service), status: table.status[0], isError: table.isError[0], isTimed: table.isTimed[0] },
  };
}

describe('what is kept of a line', () => {
  it('endpoint, status and a pseudonym; no address, e-mail, query, referer or agent', () => {
    const { payload, ...row } = stored(personal);
    expect(row).toMatchObject({
      endpoint: 'GET /u/{email}/{id}',
      service: 'front',
      status: 503,
      isError: 1,
      isTimed: 0,
    });
    expect(row.start).toBe(BigInt(Date.UTC(2025, 0, 1, 9)) * 1_000_000n);
    expect(row.consumer).toMatch(/^p_[0-9a-f]{20}$/);
    for (const secret of ['ada', '203.0', 'token', 'secret', 'https', 'agent', '4711'])
      expect(payload.includes(secret), secret).toBe(false);
  });

  it('the same user is the same consumer', () => {
    expect(stored(personal).consumer).toBe(stored(personal.replace('/u/', '/v/')).consumer);
  });

  it.each<readonly [string, string]>([
    ['none', ''],
    ['fixed:acme', 'acme'],
    ['path:1', 'u'],
    ['path:9', ''],
    ['host', ''],
  ])('with --tenant-from %s its tenant is "%s"', (rule, tenant) => {
    expect(stored(personal, source(parseTenantFrom(rule)!)).tenant).toBe(tenant);
  });

  it('with --tenant-from user an e-mail address is a pseudonym', () => {
    expect(stored(personal, source({ from: 'user' })).tenant).toMatch(/^p_/);
  });

  it.each(['path:0', 'path:21', 'path:x', 'fixed:', 'nobody', 'path'])('--tenant-from %s is none', (rule) => {
    expect(parseTenantFrom(rule)).toBeNull();
  });
});

describe('what a line says', () => {
  const taken = (lines: readonly Partial<LogLine>[], intake = new LogIntake(), of = source()) => {
    intake.begin();
    lines.forEach((line, at) => {
      intake.add({ tsUs: 1.7e15, method: 'GET', ...line } as LogLine, of, at, `line ${at}`);
    });
    const { table } = intake;
    const text = (column: Uint32Array, row: number) => table.texts.string(column[row]!);
    return lines.map((_, row) => ({
      ...{ endpoint: text(table.endpoint, row), region: text(table.region, row), tenant: text(table.tenant, row) },
      ...{ consumer: text(table.consumer, row), service: text(table.service, row) },
    }));
  };

  it('as a route is another endpoint than as a path, and a query is in neither', () => {
    const said = { path: '/users/42?q=ada' };
    const endpoints = taken([{ route: '/users/42' }, { path: '/users/42' }, { route: said.path }, said]);
    expect(endpoints.map(({ endpoint }) => endpoint)).toEqual([
      ...['GET /users/42', 'GET /users/{id}', 'GET /users/42', 'GET /users/{id}'],
    ]);
  });

  it('as a region is not renamed as a tenant is', () => {
    const naming = newNaming(new TenantRules([tenantMapSpec.parse({ rename: { 'eu-west-1': 'Acme Europe' } })]));
    const [row] = taken([{ region: 'eu-west-1', tenant: 'eu-west-1' }], new LogIntake(naming));
    expect(row).toMatchObject({ region: 'eu-west-1', tenant: 'Acme Europe' });
  });

  // What takes the square of a text's length does not end within the time of a test.
  it('is read at once, however long it is', () => {
    const long = 'a'.repeat(1 << 20);
    const lines = ['1', '2'].map((end) => ({ user: long + end, tenant: long, path: `/${long}`, region: long }));
    const [row] = taken(lines, new LogIntake(), source({ from: 'none' }, { service: long }));
    const short = long.slice(0, 256);
    expect(row).toEqual({
      ...{ endpoint: 'GET /{id}', consumer: short, tenant: short, region: short, service: short },
    });
  });

  it('is forgotten when it has become much', () => {
    const intake = new LogIntake();
    const users = Array.from({ length: 40 }, (_, at) => ({ user: `${at} ${'a'.repeat(1 << 20)}` }));
    taken(users, intake);
    expect(intake.table.texts.sizeBytes).toBeGreaterThan(32 << 20);
    intake.begin();
    expect(intake.table.texts.sizeBytes).toBe(0);
    const [row] = taken([{ user: 'ada', region: 'eu', path: '/a/7' }], intake);
    expect(row).toMatchObject({ consumer: 'ada', region: 'eu', endpoint: 'GET /a/{id}' });
  });
});

describe('which lines are the same call', () => {
  const own = stored(personal).identity;

  it.each<readonly [string, string, LogSource, number, boolean]>([
    ['the same line at the same place', personal, source(), 0, true],
    ['a line that was cut off when it was read before', personal.slice(0, -20), source(), 0, true],
    ['at another place', personal, source(), 1, false],
    ['64 KiB further on', personal, source(), 65_536, false],
    ['another line at the same place', personal.replace('203', '204'), source(), 0, false],
    ['of another log', personal, source(undefined, { fingerprint: 'other' }), 0, false],
    ['of another service', personal, source(undefined, { service: 'back' }), 0, false],
    ['of another machine', personal, source(undefined, { host: 'pod-7' }), 0, false],
    ['for another tenant', personal, source({ from: 'fixed', tenant: 'acme' }), 0, true],
  ])('%s', (_, raw, from, offset, isSame) => {
    expect(stored(raw, from, offset).identity === own).toBe(isSame);
  });
});

describeWith(sharedData('access-log/apache-10000.log.gz'), 'a real log of 10,000 lines', (path) => {
  const parser = combined.open();
  const lines = gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n');

  it('adds up to what its description says', () => {
    const parsed = lines.map((line) => parser.parse(line)).filter((line) => typeof line === 'object');
    const statuses: Record<string, number> = {};
    for (const { status } of parsed) statuses[String(status)] = (statuses[String(status)] ?? 0) + 1;
    expect(parsed).toHaveLength(10_000);
    expect(parsed.reduce((sum, { bytesOut }) => sum + (bytesOut ?? 0), 0)).toBe(2_747_282_740);
    expect(parsed.filter(({ bytesOut }) => bytesOut === undefined)).toHaveLength(669);
    expect(statuses).toEqual({ 200: 9126, 304: 445, 404: 213, 301: 164, 206: 45, 500: 3, 403: 2, 416: 2 });
    expect(new Set(parsed.map(({ clientIp }) => clientIp)).size).toBe(1_753);
  });
});
