import { describe, expect, it } from 'vitest';
import { decoderLaws, type Outcome, outcomeOf } from '../../../test/conformance/decoder-laws.ts';
import { protobufFromJson } from '../../../test/conformance/otlp-messages.ts';
import { logRequests } from '../../../test/conformance/otlp-requests.ts';
import { combined } from '../logs/combined.ts';
import { LogIntake } from '../logs/log-intake.ts';
import type { LogLine } from '../logs/log-line.ts';
import { measures, type SpanTable } from '../table/span-table.ts';
import { LogRecords } from './log-records.ts';
import { decodeLogsJson } from './logs-json.ts';
import { decodeLogsProtobuf } from './logs-protobuf.ts';
import { SpanIntake } from './span-intake.ts';

function decoded(decode: typeof decodeLogsJson, body: Buffer) {
  const intake = new SpanIntake();
  intake.begin(Buffer.from('sender'));
  return { ...decode(body, intake, new LogRecords(intake)), intake };
}

function outcome(decode: typeof decodeLogsJson, body: Buffer): Outcome {
  return outcomeOf(() => {
    const { accepted, others, refused, intake } = decoded(decode, body);
    // Identities come from what was sent, so those of two spellings differ.
    intake.table.trace.fill(0);
    intake.table.span.fill(0);
    const rows = accepted === 0 ? '' : intake.payload().toString('hex');
    return { accepted, others, refused: Object.fromEntries(refused.byReason), rows };
  });
}

const fromProtobuf = (body: Buffer) => outcome(decodeLogsProtobuf, body);
const fromJson = (json: object) => outcome(decodeLogsJson, Buffer.from(JSON.stringify(json)));

decoderLaws('ExportLogsServiceRequest', logRequests, fromProtobuf, fromJson);

const WHEN = '1735689600123456789';
const RAW =
  '203.0.113.9 - ada@example.com [01/Jan/2025:10:00:00 +0100] "GET /u/ada@example.com/4711?token=secret HTTP/1.1" 503 17 "https://h/ref?key=secret" "agent/1"';

type Values = Readonly<Record<string, string | number>>;
const attributesOf = (values: Values) =>
  Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));
const record = (values: Values, more: object = {}) => ({
  timeUnixNano: WHEN,
  attributes: attributesOf(values),
  ...more,
});
const request = (logRecords: readonly object[], resource: Values = { 'service.name': 'front' }) => ({
  resourceLogs: [{ resource: { attributes: attributesOf(resource) }, scopeLogs: [{ logRecords }] }],
});

function rowsOf(json: object) {
  const { intake, accepted, others, refused } = decoded(decodeLogsJson, Buffer.from(JSON.stringify(json)));
  const rows = Array.from({ length: accepted }, (_, row) => rowOf(intake.table, row));
  return { rows, others, refused: Object.fromEntries(refused.byReason), payload: intake.payload().toString('latin1') };
}

function rowOf(table: SpanTable, row: number) {
  const text = (column: Uint32Array) => table.texts.string(column[row]!);
  const time = (column: Uint32Array) => (BigInt(column[row * 2 + 1]!) << 32n) + BigInt(column[row * 2]!);
  return {
    identity: [...table.trace.subarray(row * 4, row * 4 + 4), ...table.span.subarray(row * 2, row * 2 + 2)].join(),
    ...{ service: text(table.service), pod: text(table.pod), endpoint: text(table.endpoint) },
    ...{ tenant: text(table.tenant), resourceTenant: text(table.resourceTenant), consumer: text(table.consumer) },
    ...{ status: table.status[row], isError: table.isError[row], isTimed: table.isTimed[row] },
    ...{ origin: table.origin[row], start: time(table.start), end: time(table.end) },
    measures: Object.fromEntries(
      measures.flatMap((name, which) => {
        const value = table.measures[which]?.[row] ?? Number.NaN;
        return value >= 0 ? [[name, value]] : [];
      }),
    ),
  };
}

const http = { 'http.request.method': 'GET', 'url.path': '/v1/users/4711', 'http.response.status_code': 200 };
const line = { body: { stringValue: RAW } };
const body = (stringValue: string) => record({}, { body: { stringValue } });

describe('which records are calls', () => {
  it.each<readonly [string, object, string | null]>([
    ['an HTTP request with its path', record(http), 'GET /v1/users/{id}'],
    ['with its route', record({ ...http, 'http.route': '/v1/users/{user}' }), 'GET /v1/users/{user}'],
    ['with the old names', record({ 'http.method': 'PUT', 'http.target': '/a?b', 'http.status_code': 204 }), 'PUT /a'],
    ['without an answer', record({ 'http.request.method': 'GET', 'url.path': '/' }), null],
    [
      'of a client, with the whole address',
      record({ 'http.request.method': 'GET', 'http.url': 'http://h/', 'http.status_code': 200 }),
      null,
    ],
    ['a line of an access log', record({}, line), 'GET /u/{email}/{id}'],
    [
      'a line without a request',
      body('10.0.0.1 - - [01/Jan/2025:10:00:00 +0100] "\\x16\\x03" 400 0'),
      '(malformed request)',
    ],
    [
      'a line of Envoy',
      body(
        '[2022-08-01T03:04:05.678Z] "POST /a HTTP/2" 204 - 154 0 226 100 "10.1.2.3" "grpc-go/1" "id" "h" "tcp://10.0.2.1:80"\n',
      ),
      'POST /a',
    ],
    [
      'a line of Envoy as JSON',
      body('{"response_code":200,"start_time":"2025-01-01T00:00:00Z","method":"GET","path":"/v1/x"}'),
      'GET /v1/x',
    ],
    [
      'a line behind what a container runtime adds',
      body(`2025-01-01T09:00:00.1Z stdout F ${RAW}`),
      'GET /u/{email}/{id}',
    ],
    ['two lines in one text', body(`${RAW}\n${RAW}`), null],
    ['words', body('user 4711 signed in, status 200'), null],
    ['words as JSON', body('{"level":"info","message":"listening","status":"ok"}'), null],
    ['nothing', {}, null],
    ['a tenant of ours', record({ 'taximeter.tenant': 'acme' }), '(log record)'],
    [
      'a quantity of ours and a name',
      record({ 'taximeter.cpu_us': 5 }, { eventName: 'report rendered' }),
      'report rendered',
    ],
    [
      'a quantity of ours and an RPC',
      record({ 'taximeter.cpu_us': 5, 'rpc.system': 'grpc', 'rpc.method': 'S/M' }),
      'GRPC S/M',
    ],
    ['a tenant by another name', record({ 'tenant.id': 'acme' }), null],
  ])('%s', (_, each, endpoint) => {
    const { rows, others, refused } = rowsOf(request([each]));
    expect(rows.map((row) => row.endpoint)).toEqual(endpoint === null ? [] : [endpoint]);
    expect([others, refused]).toEqual([endpoint === null ? 1 : 0, {}]);
  });

  it.each<readonly [string, object, string]>([
    ['no time at all', { attributes: attributesOf(http) }, 'time_invalid'],
    ['a time that is none', record(http, { timeUnixNano: 'soon' }), 'time_invalid'],
    ['a time before 2000', record(http, { timeUnixNano: '5' }), 'time_invalid'],
  ])('%s: it is refused', (_, each, reason) => {
    expect(rowsOf(request([each]))).toMatchObject({ rows: [], others: 0, refused: { [reason]: 1 } });
  });

  it('a record nested 100,000 deep does not overflow the stack', () => {
    const deep = `${'['.repeat(100_000)}1${']'.repeat(100_000)}`;
    const text = JSON.stringify(request([record(http, { other: 'HERE' })])).replace('"HERE"', deep);
    expect(outcome(decodeLogsJson, Buffer.from(text))).toBe('malformed');
  });
});

describe('what is kept of a record', () => {
  it('of an HTTP request: its time, status, sizes, tenant, consumer and measures', () => {
    const values = { ...http, 'http.response.status_code': 503, 'http.request.body.size': 10, 'taximeter.cpu_us': 70 };
    const ours = { 'taximeter.bytes_out': 20, 'taximeter.tenant': 'acme', 'user.id': 'u1' };
    const resource = { 'service.name': 'front', 'k8s.pod.name': 'front-1', 'tenant.id': 'house' };
    const [row] = rowsOf(request([record({ ...values, ...ours })], resource)).rows;
    expect(row).toMatchObject({
      ...{ service: 'front', pod: 'front-1', tenant: 'acme', resourceTenant: 'house', consumer: 'u1', origin: 1 },
      ...{ status: 503, isError: 1, isTimed: 0, start: BigInt(WHEN), end: BigInt(WHEN) },
      measures: { bytes_in: 10, bytes_out: 20, cpu_us: 70 },
    });
  });

  it('without a time of its own, when it was seen', () => {
    const each = { attributes: attributesOf(http), observedTimeUnixNano: WHEN };
    expect(rowsOf(request([each])).rows[0]!.start).toBe(BigInt(WHEN));
  });

  it('a line gives what the same line of a file gives', () => {
    const intake = new LogIntake();
    intake.begin();
    const source = { service: 'front', host: '', tenantFrom: { from: 'none' }, fingerprint: '' } as const;
    intake.add(combined.open().parse(RAW) as LogLine, source, 0, RAW);
    const { identity: _of, ...fromFile } = rowOf(intake.table, 0);
    const { identity: _, ...fromRecord } = rowsOf(request([record({}, line)])).rows[0]!;
    expect(fromRecord).toEqual(fromFile);
  });

  it('attributes come before what the line says', () => {
    const values = {
      'http.route': '/u/{mail}/{id}',
      'taximeter.tenant': 'acme',
      'taximeter.bytes_out': 99,
      'user.id': 'u1',
    };
    const [row] = rowsOf(request([record(values, line)])).rows;
    expect(row).toMatchObject({
      endpoint: 'GET /u/{mail}/{id}',
      tenant: 'acme',
      consumer: 'u1',
      measures: { bytes_out: 99 },
    });
  });

  it('no address, e-mail, query, referer or agent', () => {
    const { payload } = rowsOf(request([record({}, line)]));
    for (const secret of ['ada', '203.0', 'token', 'secret', 'https', 'agent', '4711'])
      expect(payload.includes(secret), secret).toBe(false);
  });
});

describe('which records are the same call', () => {
  const other = record({ ...http, 'url.path': '/other' });
  const own = rowsOf(request([record(http)])).rows[0]!.identity;

  it.each<readonly [string, object, boolean]>([
    ['sent again', request([record(http)]), true],
    ['sent with others', request([other, record(http), other]), true],
    ['at another nanosecond', request([record(http, { timeUnixNano: '1735689600123456788' })]), false],
    ['seen at another time', request([record(http, { observedTimeUnixNano: WHEN })]), false],
    ['of another trace', request([record(http, { traceId: '0af7651916cd43dd8448eb211c80319c' })]), false],
    ['of another span', request([record(http, { spanId: 'b7ad6b7169203331' })]), false],
    ['with another attribute that is not read', request([record({ ...http, shoe: '42' })]), false],
    ['of another resource', request([record(http)], { 'service.name': 'front', 'host.name': 'b' }), false],
  ])('%s', (_, json, isSame) => {
    expect(rowsOf(json).rows.some(({ identity }) => identity === own)).toBe(isSame);
  });

  it.each<readonly [string, object, number]>([
    ['alike in one request, as clocks of milliseconds write them', record(http), 2],
    ['alike, of one span', record(http, { spanId: 'b7ad6b7169203331' }), 1],
  ])('two %s, are as many calls, also when the request is sent again', (_, each, calls) => {
    const identities = [1, 2].flatMap(() => rowsOf(request([each, other, each])).rows.map(({ identity }) => identity));
    expect(new Set(identities).size).toBe(calls + 1);
    const inProtobuf = decoded(decodeLogsProtobuf, protobufFromJson('ExportLogsServiceRequest', request([each, each])));
    expect(new Set([0, 1].map((row) => rowOf(inProtobuf.intake.table, row).identity)).size).toBe(calls);
  });

  it('in protobuf too, in whatever request it comes', () => {
    const identityIn = (json: object, row: number) => {
      const { intake } = decoded(decodeLogsProtobuf, protobufFromJson('ExportLogsServiceRequest', json));
      return rowOf(intake.table, row).identity;
    };
    const alone = identityIn(request([record(http)]), 0);
    expect(identityIn(request([other, record(http)]), 1)).toBe(alone);
    expect(identityIn(request([other, record(http)]), 0)).not.toBe(alone);
    expect(identityIn(request([record(http)], { 'service.name': 'back' }), 0)).not.toBe(alone);
  });
});
