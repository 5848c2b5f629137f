import { afterAll, beforeAll, expect, it } from 'vitest';
import { tempFolder } from '../support/temp-folder.ts';
import { House } from './house.ts';
import { callRequest } from './small-input.ts';

const folder = tempFolder('call-rules');
let house: House;
beforeAll(async () => {
  house = await House.open(folder.path);
});
afterAll(async () => {
  await house.close();
  folder.remove();
});

const document = (kind: string, spec: object) =>
  JSON.stringify({ apiVersion: 'taximeter/v1', kind, metadata: { name: 'test', effectiveFrom: '2022-01-01' }, spec });

async function reopened(): Promise<void> {
  await house.close();
  house = await House.open(folder.path);
}

async function calls(tenant: string): Promise<Record<string, number>> {
  const rows = await house.store.columns.query<{ endpoint: string; n: string }>(
    `SELECT endpoint, sum(calls) AS n FROM usage_minute WHERE marker = 0 AND tenant = {tenant:String}
     GROUP BY endpoint HAVING n != 0 ORDER BY endpoint`,
    { tenant },
  );
  return Object.fromEntries(rows.map(({ endpoint, n }) => [endpoint, Number(n) / 1e6]));
}

it('a tenant with its fill of endpoints is counted at `other`, the same after a restart and a repeat', async () => {
  await house.apply(document('EndpointMap', { limit: 2 }));
  const requests = ['/a', '/b', '/c', '/a'].map((route, place) =>
    callRequest({ id: place + 1, tenant: 'full', route }),
  );
  await house.ingestTraces(requests);
  const expected = { 'GET /a': 2, 'GET /b': 1, other: 1 };
  expect(await calls('full')).toEqual(expected);
  expect(house.collector.overflowedEndpoints).toBe(1);
  await reopened();
  await house.ingestTraces(requests);
  expect(await calls('full')).toEqual(expected);
  expect(house.collector.overflowedEndpoints).toBe(0);
  await house.ingestTraces([callRequest({ id: 9, tenant: 'full', route: '/d' })]);
  expect(await calls('full')).toEqual({ ...expected, other: 2 });
  expect(house.collector.overflowedEndpoints).toBe(1);
});

/** What an HTTP server writes of a call as an OTLP log record. */
function record(service: string, attributes: Readonly<Record<string, string>>, second: number): Buffer {
  const texts = (values: object) =>
    Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const request = {
    'http.request.method': 'GET',
    'http.route': '/r',
    'http.response.status_code': '200',
    ...attributes,
  };
  const logRecords = [
    { timeUnixNano: String(1_660_000_000_000_000_000n + BigInt(second) * 1_000_000_000n), attributes: texts(request) },
  ];
  const resource = { attributes: texts({ 'service.name': service }) };
  return Buffer.from(JSON.stringify({ resourceLogs: [{ resource, scopeLogs: [{ logRecords }] }] }));
}

const refused = (reason: 'tenant_unknown' | 'counted_elsewhere') =>
  house.collector.counts.refused.byReason.get(reason) ?? 0;

it('records of a service that traces count are no calls, and no fault of the sender', async () => {
  await house.apply(document('Boundary', { services: ['api', 'traced'], countedBy: 'traces' }));
  const [elsewhere, counted] = [
    await house.collector.logs(record('traced', { 'tenant.id': 'logged' }, 0), 'json'),
    await house.collector.logs(record('api2', { 'tenant.id': 'logged' }, 0), 'json'),
  ];
  expect([elsewhere.accepted, elsewhere.refused.total, counted.accepted]).toEqual([0, 0, 1]);
  expect(refused('counted_elsewhere')).toBe(1);
  await house.collector.settle();
  expect(await calls('logged')).toEqual({ 'GET /r': 1 });
});

it('calls without a tenant are refused where a TenantMap says so, and counted once', async () => {
  await house.apply(document('TenantMap', { unknown: 'refuse' }));
  const { accepted, refused: told } = await house.collector.logs(record('api2', {}, 1), 'json');
  expect([accepted, told.byReason.get('tenant_unknown')]).toEqual([0, 1]);
  expect(refused('tenant_unknown')).toBe(1);
  const nobodys = callRequest({ id: 50, tenant: '', route: '/n' });
  await house.ingestTraces([nobodys, nobodys]);
  await house.ingestTraces([nobodys]);
  expect(refused('tenant_unknown')).toBe(2);
  expect(await calls('(unknown)')).toEqual({});
  const [work] = await house.store.columns.query<{ n: string }>(
    "SELECT sum(sign * share) / 1000000 AS n FROM work WHERE own_endpoint = 'GET /n' AND is_call = 0 AND tenant = ''",
  );
  expect(Number(work!.n)).toBe(1);
});
