import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { Temporal } from 'temporal-polyfill';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type UsageReportName, usageAnswers } from '../../src/serve/contract/usage.ts';
import { createApi } from '../../src/serve/index.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { runCommand } from '../support/run-command.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { callRequest } from './small-input.ts';

const folder = tempFolder('usage-reports');
const NOW = new Date('2022-08-08T12:00:00Z');
const DAY = 86_400_000;

let opened: ListeningHouse;
let api: ReturnType<typeof createApi>;
beforeAll(async () => {
  opened = await openListeningHouse(1 << 20, '', () => NOW);
  const { collector } = opened.house;
  for (let place = 0; place < 300; place++) {
    const atMs = (place * 1_234_567) % (7 * DAY);
    // A name that a spreadsheet would run.
    const tenant = place % 5 === 0 ? '=SUM(A1),"x"' : `t${place % 5}`;
    await collector.traces(Buffer.from(callRequest({ id: place + 1, atMs, tenant, route: `/${place % 3}` })), 'json');
  }
  await collector.traces(Buffer.from(polling()), 'json');
  await collector.settle();
  api = createApi(opened.house, { pages: '' });
  for (const metric of ['activeTenants', 'costPerCall']) {
    const spec = { metric, value: metric === 'costPerCall' ? '0.01' : 1, direction: 'atLeast', by: '2022-12-31' };
    const document = { apiVersion: 'taximeter/v1', kind: 'Target', metadata: { name: `t-${metric}` }, spec };
    const body = JSON.stringify(document);
    expect((await api(new Request('http://localhost/api/v1/documents', { method: 'POST', body }))).status).toBe(200);
  }
});
afterAll(async () => {
  await opened.close();
  folder.remove();
});

/** Forty calls of one consumer, a minute apart, of which all but the first are told that nothing changed; with ids of requests. */
function polling(): string {
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const startMs = Date.UTC(2022, 7, 9);
  const spans = Array.from({ length: 40 }, (_, place) => ({
    ...{
      traceId: (0xfff000 + place).toString(16).padStart(32, '0'),
      spanId: (0xfff000 + place).toString(16).padStart(16, '0'),
    },
    ...{
      name: 'call',
      kind: 2,
      startTimeUnixNano: `${startMs + place * 60_000}000000`,
      endTimeUnixNano: `${startMs + place * 60_000 + 5}000000`,
    },
    attributes: [
      ...[
        text('tenant.id', 'poller'),
        text('http.request.method', 'GET'),
        text('http.route', '/jobs'),
        text('enduser.id', 'worker'),
      ],
      { key: 'http.response.status_code', value: { intValue: String(place === 0 ? 200 : 304) } },
      text('http.request.header.x-request-id', `request-${place}`),
    ],
  }));
  return JSON.stringify({
    resourceSpans: [{ resource: { attributes: [text('service.name', 'api')] }, scopeSpans: [{ spans }] }],
  });
}

const get = (path: string, headers = {}) => api(new Request(`http://localhost/api/v1/usage/${path}`, { headers }));
const week = 'from=2022-08-01&to=2022-08-08';
const asked: Record<UsageReportName, string> = {
  volume: `${week}&window=day&by=tenant&compare=previous`,
  daily: 'at=2022-08-05T10:00:00Z&tz=Asia/Kolkata',
  rolling: 'at=2022-08-05T10:00:00Z&points=24',
  fit: 'at=2022-08-05T10:00:00Z',
  calls: week,
  adoption: week,
  retention: `${week}&window=day`,
  activation: `${week}&successes=3`,
  depth: week,
  unused: week,
  sequences: week,
  concentration: week,
  baseline: `${week}&metric=callsPerTenant&weeks=13`,
  targets: 'at=2022-08-08',
  advice: week,
  why: `from=2022-08-05&to=2022-08-08&by=tenant,endpoint`,
};
const names = Object.keys(asked) as UsageReportName[];

test('plans are cohorts: each tenant is on one edition, the default one where none is said', async () => {
  const spec = {
    editions: { free: { base: 10 }, gold: { base: 100 }, empty: { base: 0 } },
    defaultEdition: 'free',
    tenants: {
      t1: { edition: 'gold' },
      t2: { edition: 'free' },
      '=SUM(A1),"x"': { edition: 'gold' },
      unseen: { edition: 'gold' },
    },
  };
  const document = { apiVersion: 'taximeter/v1', kind: 'Plan', metadata: { name: 'crm' }, spec };
  const body = JSON.stringify(document);
  expect((await api(new Request('http://localhost/api/v1/documents', { method: 'POST', body }))).status).toBe(200);
  const ask = async (query: string) => {
    const answer = await get(`volume?${week}&${query}`);
    return (await answer.json()) as { calls: number; baseCalls: number; counts: { where: string }; detail?: string } & {
      rows: { tenant: string }[];
    };
  };
  const gold = await ask('where=plan:crm/gold&baseWhere=plan:crm/free&by=tenant');
  const all = await ask('');
  expect(gold.rows.map(({ tenant }) => tenant)).toEqual(['=SUM(A1),"x"', 't1', 't2', 't3', 't4']);
  expect([gold.calls, gold.baseCalls]).toEqual([120, all.calls - 120]);
  expect(gold.counts.where).toBe('plan:crm/gold');
  expect((await ask('where=plan:crm/free|crm/gold')).calls).toBe(all.calls);
  expect((await ask('where=plan:crm/empty')).calls).toBe(0);
  expect(await ask('where=endpoint:GET /1;plan:crm/gold&tenant=t1')).toMatchObject({
    counts: { where: 'plan:crm/gold;endpoint:GET /1;tenant:t1' },
  });
  expect((await ask('where=plan:crm/gold&tenant=t2')).calls).toBe(0);
  for (const wrong of ['plan:crm', 'plan:gold', 'plan:other/gold', 'plan:crm/silver', 'plan:crm/gold;plan:crm/free']) {
    const answer = await get(`volume?${week}&where=${wrong}`);
    expect([answer.status, await answer.text()], wrong).toEqual([400, expect.stringContaining('plan')]);
  }
});

describe('each report', () => {
  test.each(names)('%s answers what its contract says, with coverage, freshness and what it means', async (name) => {
    const answer = await get(`${name}?${asked[name]}`);
    const body = await answer.json();
    expect(answer.status, JSON.stringify(body)).toBe(200);
    expect(usageAnswers[name].parse(body)).toEqual(body);
    const definitions = (await (await get('definitions')).json()) as Record<string, string>;
    const { definition, freshness, counts } = body as Record<string, unknown> & { definition: string };
    expect(definitions[definition.split('#')[1]!]).toMatch(/\w/);
    expect({ freshness, counts }).toMatchObject({
      freshness: { asOf: '2022-08-08T12:00:00Z' },
      counts: { where: 'all calls' },
    });
  });

  test.each(names)('%s is CSV for those who ask for it', async (name) => {
    const { rows } = (await (await get(`${name}?${asked[name]}`)).json()) as { rows: object[] };
    const [byFormat, byHeader] = [
      await get(`${name}?${asked[name]}&format=csv`),
      await get(`${name}?${asked[name]}`, { accept: 'text/csv' }),
    ];
    const text = await byFormat.text();
    expect(text).toBe(await byHeader.text());
    expect(byFormat.headers.get('taximeter-coverage')).toMatch(/"weight"/);
    expect(text.split('\r\n').length - 2).toBe(rows.length);
    expect(text).not.toMatch(/(^|,|")=SUM/m);
  });

  test.each(names)('%s is the same in pages', async (name) => {
    if (name === 'rolling' || name === 'fit') return;
    const whole = (await (await get(`${name}?${asked[name]}`)).json()) as { rows: object[] };
    const rows: object[] = [];
    const size = Math.max(2, Math.ceil(whole.rows.length / 3));
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = (await (await get(`${name}?${asked[name]}&limit=${size}&cursor=${cursor}`)).json()) as {
        rows: object[];
        next: string | null;
      };
      rows.push(...page.rows);
      cursor = page.next;
    }
    expect(rows).toEqual(whole.rows);
  });
});

test('a call is found by the id of its request, and by no other', async () => {
  const found = async (requestId: string) => {
    const answer = await get(`calls?from=2022-08-09&to=2022-08-10&requestId=${requestId}`);
    return ((await answer.json()) as { rows: { time: string; tenant: string }[] }).rows;
  };
  expect(await found('request-7')).toMatchObject([{ time: '2022-08-09T00:07:00.000000000Z', tenant: 'poller' }]);
  expect(await found('request-70')).toEqual([]);
  const byCommand = await run(
    'usage',
    'calls',
    '--from',
    '2022-08-09',
    '--to',
    '2022-08-10',
    '--request-id',
    'request-7',
    '--json',
  );
  expect((JSON.parse(byCommand.out) as { rows: object[] }).rows).toEqual(await found('request-7'));
});

describe('times that no call can have', () => {
  const ranges = [
    'from=0001-01-01&to=9999-12-31',
    'from=1969-12-31&to=1970-01-02',
    'from=2105-12-31&to=2106-01-02',
    'from=2299-12-31&to=2300-01-02',
    'from=1900-01-01&to=2022-08-01&window=day',
  ];
  const instants = [
    'rolling?at=9999-12-31',
    'rolling?at=2022-08-05&span=999999d',
    'rolling?at=2022-08-05&span=999999d&step=999999d&points=2000',
    'rolling?at=2022-08-05&step=90000d&points=2',
    'fit?at=1970-01-01&span=1d',
    'fit?at=2300-01-01',
    'daily?at=1970-01-03&days=7',
    'targets?at=9999-12-31',
    'targets?at=0001-01-01',
    'volume?from=1970-01-01&to=1970-02-01&compare=last-year',
  ];
  const questions = [
    ...names
      .filter((name) => asked[name].startsWith('from'))
      .map((name) => `${name}?${ranges[names.indexOf(name) % 4]!}`),
    ...ranges.map((range) => `volume?${range}`),
    ...instants,
  ];

  test.each(questions)('%s is refused', async (question) => {
    const answer = await get(question);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, 'PARAMETER_INVALID']);
  });

  test('windows that are far too many are refused at once', async () => {
    const windows = vi.spyOn(Temporal.Instant, 'fromEpochMilliseconds');
    const answer = await get('volume?from=1970-01-01&to=2100-01-01&window=hour');
    expect([answer.status, windows.mock.calls.length < 100]).toEqual([400, true]);
    windows.mockRestore();
  });
});

test('advice is a text for the tenant as well', async () => {
  const asked = 'from=2022-08-09&to=2022-08-10';
  const { rows } = (await (await get(`advice?${asked}`)).json()) as { rows: object[] };
  expect(rows).toEqual([
    {
      ...{ tenant: 'poller', kind: 'polling', endpoint: 'GET /jobs', consumers: 1, calls: 40, savedCalls: 39 },
      ...{ savedShare: 0.975, savedCost: null, currency: null, certainty: 'certain' },
      evidence: 'asked every 60 s; 98 % of 40 answers were unchanged (told by status 304)',
    },
  ]);
  const letter = await get(`letter?${asked}&tenant=poller`);
  const text = await letter.text();
  expect({ type: letter.headers.get('content-type'), text }).toEqual({
    type: 'text/markdown; charset=utf-8',
    text: expect.stringMatching(/^# How `poller` can do with fewer calls\n[\s\S]*39 of 40 calls/),
  });
  const command = await run('usage', 'letter', '--from', '2022-08-09', '--to', '2022-08-10', '--tenant', 'poller');
  expect(command).toEqual({ code: 0, out: text, err: '' });
  expect((await get(`letter?${asked}`)).status).toBe(400);
});

test.each([
  ['a parameter that there is not', 'volume?from=2022-08-01&to=2022-08-02&colour=red', 'PARAMETER_INVALID'],
  ['a dimension that there is not', `volume?${week}&by=colour`, 'PARAMETER_INVALID'],
  ['a zone that there is not', `adoption?${week}&tz=Mars/Olympus`, 'PARAMETER_INVALID'],
  ['a range that ends before it begins', 'volume?from=2022-08-02&to=2022-08-01', 'RANGE_EMPTY'],
  ['a day that does not exist', 'volume?from=2022-02-30&to=2022-08-01', 'TIME_MALFORMED'],
  ['too many windows', 'volume?from=2000-01-01&to=2022-08-01&window=hour', 'RANGE_TOO_LONG'],
  ['half a range to compare with', `volume?${week}&baseFrom=2022-01-01`, 'PARAMETER_INVALID'],
  ['ranges that overlap', `why?${week}&baseFrom=2022-08-02&baseTo=2022-08-09`, 'PARAMETER_INVALID'],
  ['a span that is none', 'rolling?span=never', 'PARAMETER_INVALID'],
  ['a cursor that is none', `volume?${week}&cursor=abc`, 'PARAMETER_INVALID'],
  ['a trace that is none', `calls?${week}&traceId=xyz`, 'PARAMETER_INVALID'],
  ['costs by the hour', `baseline?${week}&metric=costPerCall&window=hour`, 'PARAMETER_INVALID'],
  ['a figure that there is not', `baseline?${week}&metric=mood`, 'PARAMETER_INVALID'],
  ['a choice of targets', 'targets?where=tenant:t1', 'PARAMETER_INVALID'],
  ['a choice that is none', `volume?${week}&where=colour:red`, 'PARAMETER_INVALID'],
])('%s is refused', async (_name, path, code) => {
  const answer = await get(path);
  expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, code]);
});

function run(...args: string[]) {
  return runCommand(api, folder.path, args);
}

describe('commands', () => {
  test.each(names)('usage %s prints what the API says', async (name) => {
    const flags = [...new URLSearchParams(asked[name])].flatMap(([flag, value]) => [`--${flag}`, value]);
    const { rows } = (await (await get(`${name}?${asked[name]}`)).json()) as { rows: object[] };
    const json = await run('usage', name, ...flags, '--json');
    expect({ code: json.code, err: json.err }).toEqual({ code: 0, err: '' });
    expect((JSON.parse(json.out) as { rows: object[] }).rows).toEqual(rows);
    const csv = await run('usage', name, ...flags, '--csv');
    expect(csv.out.trimEnd().split('\r\n').length - 1).toBe(rows.length);
    expect((await run('usage', name, ...flags)).out).toContain('newest call 2022-08-0');
  });

  test('without a name it counts, as before', async () => {
    const { code, out } = await run('usage', '--from', '2022-08-01', '--to', '2022-08-08');
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('300 calls') });
  });

  test('all calls go into files of three forms, with progress', async () => {
    const flags = ['--from', '2022-08-01', '--to', '2022-08-08', '--where', 'tenant:t1|t2'];
    const { rows } = (await (await get(`calls?${week}&where=tenant:t1|t2`)).json()) as {
      rows: Record<string, unknown>[];
    };
    expect(rows.length).toBe(120);
    for (const format of ['csv', 'jsonl', 'parquet']) {
      const file = join(folder.path, `calls.${format}`);
      const { code, out, err } = await run('usage', 'calls', ...flags, '--export', file);
      expect({ code, out }).toEqual({ code: 0, out: `${file}: 120 calls\n` });
      expect(err).toContain('120 of 120 calls written');
    }
    const lines = readFileSync(join(folder.path, 'calls.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual(rows);
    expect(readFileSync(join(folder.path, 'calls.csv'), 'utf8').trimEnd().split('\r\n').length).toBe(121);
    const bytes = readFileSync(join(folder.path, 'calls.parquet'));
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    expect(await parquetReadObjects({ file: buffer })).toEqual(rows);
  });

  test('a form that there is not is refused, and no half file stays', async () => {
    const file = join(folder.path, 'calls.xls');
    const { code, err } = await run('usage', 'calls', '--from', '2022-08-01', '--to', '2022-08-08', '--export', file);
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('not recognised') });
    expect(() => readFileSync(`${file}.part`)).toThrow();
  });
});
