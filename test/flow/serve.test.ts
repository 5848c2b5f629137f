import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip, gzipSync } from 'node:zlib';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeTraceRequest, type OtlpSpan, type TraceRequest } from '../../src/advise/index.ts';
import type { CostAnswer, UsageAnswer } from '../../src/serve/contract/contract.ts';
import { describeWith } from '../support/available.ts';
import { sharedData } from '../support/data.ts';
import { type RunningTaximeter, startTaximeter, taximeter } from '../support/taximeter.ts';
import { tempFolder } from '../support/temp-folder.ts';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function post(url: string, body: Uint8Array | string, headers: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', body: body as Uint8Array<ArrayBuffer>, headers });
}

async function answer<Answer>(server: RunningTaximeter, path: string): Promise<Answer> {
  return (await (await fetch(server.api + path)).json()) as Answer;
}

async function settle(server: RunningTaximeter): Promise<void> {
  await fetch(`${server.api}/api/v1/settle`, { method: 'POST' });
}

/** One request with one call of one tenant. */
function oneCall(tenant: string, id: number): TraceRequest {
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'api' } }] },
        scopeSpans: [
          {
            scope: { name: 'test' },
            spans: [
              {
                traceId: id.toString(16).padStart(32, '0'),
                spanId: id.toString(16).padStart(16, '0'),
                name: 'GET /v1/things',
                kind: 2,
                startTimeUnixNano: '1735689600000000000',
                endTimeUnixNano: '1735689600005000000',
                attributes: [
                  { key: 'tenant.id', value: { stringValue: tenant } },
                  { key: 'http.request.method', value: { stringValue: 'GET' } },
                  { key: 'http.route', value: { stringValue: '/v1/things' } },
                ],
                status: {},
              },
            ],
          },
        ],
      },
    ],
  } as unknown as TraceRequest;
}

describe('a running server', () => {
  const folder = tempFolder('serve');
  let server: RunningTaximeter;

  beforeAll(async () => {
    server = await startTaximeter(folder.path, { TAXIMETER_BODY_BYTES: String(1 << 20) });
  });
  afterAll(async () => {
    await server.stop();
    folder.remove();
  });

  describe('answers bad input with the right status, in kind', () => {
    const bomb = gzipSync(Buffer.alloc(64 << 20));
    const good = encodeTraceRequest(oneCall('acme', 1));
    const rows: [string, string, number, Uint8Array | string, Record<string, string>][] = [
      ['broken protobuf', '/v1/traces', 400, Buffer.from([0x0a, 0x7f, 1, 2, 3]), { 'content-type': PROTOBUF }],
      ['text as protobuf', '/v1/traces', 400, 'hello there', { 'content-type': PROTOBUF }],
      ['broken JSON', '/v1/traces', 400, '{"resourceSpans": [', { 'content-type': JSON_TYPE }],
      ['JSON of another shape', '/v1/traces', 400, '{"resourceSpans": 7}', { 'content-type': JSON_TYPE }],
      ['logs of another shape', '/v1/logs', 400, '{"resourceLogs": [7]}', { 'content-type': JSON_TYPE }],
      ['broken logs', '/v1/logs', 400, Buffer.from([0x0a, 0x7f, 1, 2, 3]), { 'content-type': PROTOBUF }],
      ['a JSON list', '/v1/metrics', 400, '[]', { 'content-type': JSON_TYPE }],
      ['100,000 brackets', '/v1/traces', 400, '['.repeat(100_000), { 'content-type': JSON_TYPE }],
      [
        'broken gzip',
        '/v1/traces',
        400,
        gzipSync(good).subarray(0, 20),
        { 'content-type': PROTOBUF, 'content-encoding': 'gzip' },
      ],
      ['a gzip bomb', '/v1/traces', 413, bomb, { 'content-type': PROTOBUF, 'content-encoding': 'gzip' }],
      ['a body over the limit', '/v1/traces', 413, Buffer.alloc((1 << 20) + 1), { 'content-type': PROTOBUF }],
      ['another encoding', '/v1/traces', 415, good, { 'content-type': PROTOBUF, 'content-encoding': 'br' }],
      ['another type', '/v1/traces', 415, good, { 'content-type': 'text/plain' }],
      ['no type', '/v1/metrics', 415, good, { 'content-type': '' }],
      ['an unknown signal', '/v1/profiles', 404, good, { 'content-type': PROTOBUF }],
    ];
    it.each(rows)('%s', async (_name, path, status, body, headers) => {
      for (const base of [server.otlp, server.api]) {
        const response = await post(base + path, body, headers);
        expect(response.status).toBe(status);
        const words = await response.text();
        expect(words.length).toBeGreaterThan(10);
        if (status !== 404) {
          expect(response.headers.get('content-type')).toContain(
            headers['content-type'] === JSON_TYPE ? JSON_TYPE : PROTOBUF,
          );
        }
      }
    });

    it('GET on a receiver is 405', async () => {
      expect((await fetch(`${server.otlp}/v1/traces`)).status).toBe(405);
    });

    it('refuses single spans and says how many, and why', async () => {
      const request = oneCall('acme', 2);
      const spans = request.resourceSpans[0]!.scopeSpans[0]!.spans as OtlpSpan[];
      spans.push({ ...spans[0]!, spanId: '0000000000000000' });
      const json = await post(`${server.otlp}/v1/traces`, JSON.stringify(request), { 'content-type': JSON_TYPE });
      expect(json.status).toBe(200);
      expect(await json.json()).toEqual({ partialSuccess: { rejectedSpans: '1', errorMessage: '1 span_id_invalid' } });
    });

    it('leaves partial success out when everything was taken', async () => {
      const json = await post(`${server.otlp}/v1/traces`, JSON.stringify(oneCall('acme', 3)), {
        'content-type': JSON_TYPE,
      });
      expect(await json.json()).toEqual({});
      const binary = await post(`${server.otlp}/v1/traces`, encodeTraceRequest(oneCall('acme', 3)), {
        'content-type': PROTOBUF,
      });
      expect((await binary.arrayBuffer()).byteLength).toBe(0);
    });

    const apiRows: [string, string, string, number, string][] = [
      ['a range that is none', 'GET', '/api/v1/usage?from=yesterday&to=today', 400, 'TIME_MALFORMED'],
      ['a range that ends first', 'GET', '/api/v1/cost?from=2025-02-01&to=2025-01-01', 400, 'RANGE_EMPTY'],
      ['a day that does not exist', 'GET', '/api/v1/usage?from=2025-02-30&to=2025-03-01', 400, 'TIME_MALFORMED'],
      ['an unknown dimension', 'GET', '/api/v1/usage?from=2025-01-01&to=2025-01-02&by=shoe', 400, 'PARAMETER_INVALID'],
      ['an unknown zone', 'GET', '/api/v1/usage?from=2025-01-01&to=2025-01-02&tz=Mars/Base', 400, 'PARAMETER_INVALID'],
      ['no range', 'GET', '/api/v1/usage', 400, 'PARAMETER_INVALID'],
      ['an unknown route', 'GET', '/api/v1/nothing', 404, 'NOT_FOUND'],
      ['a month that is none', 'GET', '/api/v1/reconcile?period=2025-13', 400, 'TIME_MALFORMED'],
      ['JSON that is none', 'POST', '/api/v1/allocate', 400, 'BODY_MALFORMED'],
    ];
    it.each(apiRows)('%s', async (_name, method, path, status, code) => {
      const body = method === 'POST' ? { body: '{', headers: { 'content-type': JSON_TYPE } } : {};
      const response = await fetch(server.api + path, { method, ...body });
      const problem = (await response.json()) as { code: string; status: number };
      expect([response.status, problem.code, problem.status]).toEqual([status, code, status]);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
    });
  });

  it('takes no request of another site', async () => {
    const foreign = await fetch(`${server.api}/api/v1/status`, { headers: { origin: 'https://evil.example' } });
    expect(foreign.status).toBe(403);
    const own = await fetch(`${server.api}/api/v1/status`, { headers: { origin: server.api } });
    expect(own.status).toBe(200);
  });

  it.each([
    ['protobuf', (url: string): SpanExporter => new ProtobufExporter({ url })],
    ['JSON', (url: string): SpanExporter => new JsonExporter({ url })],
    ['protobuf, gzip', (url: string): SpanExporter => new ProtobufExporter({ url, compression: 'gzip' as never })],
    ['gRPC', (): SpanExporter => new GrpcExporter({ url: server.otlpGrpc })],
    ['gRPC, gzip', (): SpanExporter => new GrpcExporter({ url: server.otlpGrpc, compression: 'gzip' as never })],
  ])("counts what OpenTelemetry's own exporter sends as %s", async (name, makeExporter) => {
    const provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'checkout' }),
      spanProcessors: [new BatchSpanProcessor(makeExporter(`${server.otlp}/v1/traces`))],
    });
    const tracer = provider.getTracer('test');
    const from = new Date();
    for (let i = 0; i < 25; i++) {
      const attributes = { 'tenant.id': `sdk ${name}`, 'http.request.method': 'POST', 'http.route': '/pay/{id}' };
      const root = tracer.startSpan('POST /pay/{id}', { kind: SpanKind.SERVER, attributes }, ROOT_CONTEXT);
      const inside = trace.setSpan(ROOT_CONTEXT, root);
      tracer
        .startSpan('SELECT', { kind: SpanKind.CLIENT, attributes: { 'db.system.name': 'postgresql' } }, inside)
        .end();
      root.end();
    }
    await provider.forceFlush();
    await provider.shutdown();
    await settle(server);
    const range = `from=${new Date(Math.floor(from.getTime() / 60_000) * 60_000).toISOString()}&to=2100-01-01`;
    const usage = await answer<UsageAnswer>(server, `/api/v1/usage?${range}&by=tenant,endpoint`);
    const row = usage.rows.find(({ tenant }) => tenant === `sdk ${name}`);
    expect(row).toMatchObject({ endpoint: 'POST /pay/{id}', calls: 25, errors: 0 });
  });

  it("counts the calls among what OpenTelemetry's own exporter sends as logs", async () => {
    const provider = new LoggerProvider({
      resource: resourceFromAttributes({ 'service.name': 'gateway' }),
      processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: `${server.otlp}/v1/logs` }) })],
    });
    const logger = provider.getLogger('test');
    const from = new Date();
    const line = (id: number) =>
      `10.0.0.1 - - [${from.toISOString().replace(/^(\d+)-(\d+)-(\d+)T([\d:]+).*/, (_, year, month, day, time) => `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`)}] "GET /logged/${id} HTTP/1.1" 200 17 "-" "agent"`;
    for (let id = 1; id <= 5; id++) {
      const attributes = {
        'http.request.method': 'GET',
        'http.route': '/event/{id}',
        'http.response.status_code': 500,
      };
      logger.emit({ attributes: { ...attributes, 'tenant.id': 'logs' } });
      logger.emit({ body: line(id), attributes: { 'taximeter.tenant': 'logs' } });
      logger.emit({ body: `started worker ${id}` });
    }
    await provider.forceFlush();
    await provider.shutdown();
    await settle(server);
    const range = `from=${new Date(Math.floor(from.getTime() / 60_000) * 60_000).toISOString()}&to=2100-01-01`;
    const { rows } = await answer<UsageAnswer>(server, `/api/v1/usage?${range}&by=tenant,endpoint`);
    expect(rows.filter(({ tenant }) => tenant === 'logs')).toMatchObject([
      { endpoint: 'GET /event/{id}', calls: 5, errors: 5 },
      { endpoint: 'GET /logged/{id}', calls: 5, errors: 0 },
    ]);
    const metrics = await (await fetch(`${server.api}/metrics`)).text();
    expect(metrics).toMatch(/^taximeter_refused_total\{reason="record_other"\} 5$/m);
  });

  it('describes its API and itself', async () => {
    const description = await answer<{ openapi: string; paths: object }>(server, '/api/openapi.json');
    expect(description.openapi).toBe('3.1.0');
    expect(Object.keys(description.paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/usage',
        '/api/v1/cost',
        '/api/v1/reconcile',
        '/api/v1/documents',
        '/api/v1/bills',
      ]),
    );
    expect(await (await fetch(`${server.api}/api/docs`)).text()).toContain('swagger-ui');
    expect(await (await fetch(`${server.api}/healthz`)).text()).toBe('ok');
    expect(await (await fetch(`${server.api}/metrics`)).text()).toMatch(/^taximeter_spans_accepted_total \d+$/m);
  });

  it('shows the dashboard, and nothing outside of it', async () => {
    const page = await fetch(`${server.api}/cost`);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await page.text()).toContain('<div id="root">');
    for (const path of ['/..%2f..%2fpackage.json', '/assets/../../package.json', '/%00', '/package.json']) {
      expect([404, 200]).toContain((await fetch(server.api + path)).status);
      expect(await (await fetch(server.api + path)).text()).not.toContain('"name": "taximeter"');
    }
  });

  it('is what commands on the same data folder talk to', async () => {
    const result = await taximeter([
      'usage',
      '--from',
      '2025-01-01',
      '--to',
      '2025-01-02',
      '--json',
      '--data',
      folder.path,
    ]);
    expect(result.code).toBe(0);
    expect((JSON.parse(result.out) as UsageAnswer).calls).toBe(2);
  });

  it('keeps its data folder and its ports to itself', async () => {
    const second = await taximeter(['serve', '--data', folder.path]);
    expect([second.code, second.err]).toEqual([1, expect.stringMatching(/another process uses this data folder/)]);
    const other = tempFolder('serve-port');
    const port = new URL(server.api).port;
    const taken = await taximeter(['serve', '--data', other.path, '--port', port]);
    expect([taken.code, taken.err]).toEqual([
      1,
      expect.stringMatching(new RegExp(`a port is already in use.*port ${port}`)),
    ]);
    const wrong = await taximeter(['serve', '--data', other.path, '--otlp-grpc-port', 'on']);
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringMatching(/TAXIMETER_OTLP_GRPC_PORT/)]);
    other.remove();
  });

  it('does not listen to the outside without a token', async () => {
    const other = tempFolder('serve-outside');
    const result = await taximeter(['serve', '--data', other.path], { env: { TAXIMETER_HOST: '0.0.0.0' } });
    expect([result.code, result.err]).toEqual([1, expect.stringMatching(/TAXIMETER_TOKEN/)]);
    other.remove();
  });
});

describe('a server with a token', () => {
  it('knows who asks', async () => {
    const folder = tempFolder('serve-token');
    const token = 'a-token-of-twenty-characters';
    const server = await startTaximeter(folder.path, { TAXIMETER_TOKEN: token });
    try {
      const bare = await post(`${server.otlp}/v1/traces`, JSON.stringify(oneCall('acme', 1)), {
        'content-type': JSON_TYPE,
      });
      expect(bare.status).toBe(401);
      const headers = { 'content-type': JSON_TYPE, authorization: `Bearer ${token}` };
      expect((await post(`${server.otlp}/v1/traces`, JSON.stringify(oneCall('acme', 1)), headers)).status).toBe(200);
      expect((await fetch(`${server.api}/api/v1/status`)).status).toBe(401);
      expect((await taximeter(['doctor', '--data', folder.path])).out).toContain('the engines answer');
    } finally {
      await server.stop();
      folder.remove();
    }
  });
});

describe('a server that is killed', () => {
  it('has lost nothing that it acknowledged, and counts nothing twice', async () => {
    const folder = tempFolder('serve-kill');
    let acknowledged = 0;
    for (let round = 0; round < 3; round++) {
      const server = await startTaximeter(folder.path);
      const sending = (async () => {
        for (let i = 0; i < 200; i++) {
          const body = encodeTraceRequest(oneCall('acme', round * 1000 + i + 1));
          const response = await post(`${server.otlp}/v1/traces`, body, { 'content-type': PROTOBUF }).catch(() => null);
          if (response?.status !== 200) return;
          acknowledged += 1;
          if (i === 60 + round * 50) await server.kill();
        }
      })();
      await sending;
    }
    const server = await startTaximeter(folder.path);
    await settle(server);
    const usage = await answer<UsageAnswer>(server, '/api/v1/usage?from=2025-01-01&to=2025-01-02');
    await server.stop();
    folder.remove();
    expect(acknowledged).toBeGreaterThan(150);
    expect(usage.calls).toBe(acknowledged);
  });
});

const tricky = sharedData('tricky');
describeWith(tricky, 'the five commands, with the traces sent over OTLP/HTTP', (path) => {
  it.each([
    [
      'protobuf and gzip',
      (line: string) => gzipSync(encodeTraceRequest(JSON.parse(line) as TraceRequest)),
      { 'content-type': PROTOBUF, 'content-encoding': 'gzip' },
    ],
    ['protobuf', (line: string) => encodeTraceRequest(JSON.parse(line) as TraceRequest), { 'content-type': PROTOBUF }],
    ['JSON and gzip', (line: string) => gzipSync(line), { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' }],
  ])('gives the expected figures: %s', async (_name, encode, headers) => {
    const folder = tempFolder('serve-five');
    const server = await startTaximeter(folder.path);
    try {
      const run = async (...args: string[]) =>
        expect(await taximeter([...args, '--data', folder.path])).toMatchObject({ code: 0 });
      await run('apply', '-f', `${path}/model.yaml`);
      const lines = createInterface({ input: createReadStream(`${path}/traces.jsonl.gz`).pipe(createGunzip()) });
      for await (const line of lines) {
        expect((await post(`${server.otlp}/v1/traces`, encode(line) as Uint8Array, headers)).status).toBe(200);
      }
      await run('ingest', `${path}/metrics.jsonl.gz`);
      await run('bill', 'import', `${path}/bill-a.focus.csv`, `${path}/bill-b.focus.csv`);
      await run('allocate', '--from', '2025-01-01', '--to', '2025-02-01');
      const cost = await answer<CostAnswer>(server, '/api/v1/cost?from=2025-01-01&to=2025-02-01&by=tenant,endpoint');
      const expected = JSON.parse(readFileSync(`${path}/expected.json`, 'utf8')) as CostAnswer;
      expect(cost.identity).toEqual(expected.identity);
      expect(cost.rows).toMatchObject(expected.rows);
    } finally {
      await server.stop();
      folder.remove();
    }
  });
});
