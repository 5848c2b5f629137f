import { once } from 'node:events';
import { connect } from 'node:http2';
import { fromBinary, fromJson, type JsonObject, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApi } from '../../src/serve/index.ts';
import { type Field, protobufPackage } from '../conformance/protobuf-package.ts';
import { GrpcClient } from '../support/grpc-client.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';

/** The messages as Envoy's .proto files number them. */
const messages: Record<string, readonly Field[]> = {
  RateLimitRequest: [
    ['domain', 1, 'string'],
    ['descriptors', 2, 'Descriptor*'],
    ['hits_addend', 3, 'uint32'],
  ],
  Descriptor: [
    ['entries', 1, 'Entry*'],
    ['limit', 2, 'Override'],
    ['hits_addend', 3, 'UInt64Value'],
    ['is_negative_hits', 4, 'bool'],
  ],
  Entry: [
    ['key', 1, 'string'],
    ['value', 2, 'string'],
  ],
  Override: [
    ['requests_per_unit', 1, 'uint32'],
    ['unit', 2, 'int32'],
  ],
  UInt64Value: [['value', 1, 'uint64']],
  RateLimitResponse: [
    ['overall_code', 1, 'int32'],
    ['statuses', 2, 'Status*'],
    ['response_headers_to_add', 3, 'HeaderValue*'],
  ],
  Status: [
    ['code', 1, 'int32'],
    ['current_limit', 2, 'Limit'],
    ['limit_remaining', 3, 'uint32'],
    ['duration_until_reset', 4, 'Duration'],
  ],
  Limit: [
    ['requests_per_unit', 1, 'uint32'],
    ['unit', 2, 'int32'],
    ['name', 3, 'string'],
  ],
  Duration: [
    ['seconds', 1, 'int64'],
    ['nanos', 2, 'int32'],
  ],
  HeaderValue: [
    ['key', 1, 'string'],
    ['value', 2, 'string'],
  ],
  CheckRequest: [['attributes', 1, 'Attributes']],
  Attributes: [
    ['source', 1, 'Peer'],
    ['request', 4, 'Request'],
    ['context_extensions', 10, 'Entry*'],
  ],
  Peer: [['service', 2, 'string']],
  Request: [['http', 2, 'Http']],
  Http: [
    ['id', 1, 'string'],
    ['method', 2, 'string'],
    ['headers', 3, 'Entry*'],
    ['path', 4, 'string'],
    ['host', 5, 'string'],
    ['size', 9, 'int64'],
  ],
  CheckResponse: [
    ['status', 1, 'RpcStatus'],
    ['denied_response', 2, 'Denied'],
    ['ok_response', 3, 'Ok'],
  ],
  RpcStatus: [
    ['code', 1, 'int32'],
    ['message', 2, 'string'],
  ],
  Denied: [
    ['status', 1, 'HttpStatus'],
    ['headers', 2, 'HeaderOption*'],
    ['body', 3, 'string'],
  ],
  HttpStatus: [['code', 1, 'int32']],
  Ok: [
    ['headers', 2, 'HeaderOption*'],
    ['response_headers_to_add', 6, 'HeaderOption*'],
  ],
  HeaderOption: [
    ['header', 1, 'HeaderValue'],
    ['append_action', 3, 'int32'],
  ],
};

const { typeOf: schema } = protobufPackage('envoy', messages);
const encode = (name: string, value: JsonValue) => toBinary(schema(name), fromJson(schema(name), value));
const decode = (name: string, bytes: Uint8Array) =>
  toJson(schema(name), fromBinary(schema(name), bytes), { useProtoFieldName: true }) as Record<string, never>;

const RATE_LIMIT = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit';
const CHECK = '/envoy.service.auth.v3.Authorization/Check';

let house: ListeningHouse;
let nowMs = Date.UTC(2026, 5, 1);
beforeAll(async () => {
  house = await openListeningHouse(1 << 20, '', () => new Date(nowMs));
  const limits = '[{ id: minute, amount: 5, window: { fixed: 60s } }]';
  const large = '[{ id: large, amount: 4503599627370495, window: { calendar: month } }]';
  const head = 'apiVersion: taximeter/v1\nkind: LimitPolicy\nmetadata';
  const body = `${head}: { name: gate }\nspec: { match: { tenants: ['t*'] }, limits: ${limits} }\n---\n${head}: { name: wide }\nspec: { match: { tenants: ['wide'] }, limits: ${large} }\n`;
  await createApi(house.house, { pages: '' })(
    new Request('http://localhost/api/v1/documents', { method: 'POST', body }),
  );
});
afterAll(() => house.close());

type Call = (
  path: string,
  name: string,
  request: JsonValue | Uint8Array,
  metadata?: Metadata,
) => Promise<{ code: number; message: Record<string, never> }>;

async function asking(
  test: (call: Call, port: number) => Promise<void>,
  token = '',
  options: Parameters<ListeningHouse['listening']>[1] = {},
): Promise<void> {
  nowMs += 60_000;
  await house.listening(
    async ({ envoy }) => {
      const client = new GrpcClient(envoy);
      try {
        await test(async (path, name, request, metadata = new Metadata()) => {
          const bytes = request instanceof Uint8Array ? request : encode(`${name}Request`, request);
          const answer = await client.call(path, bytes, metadata);
          return { code: answer.code, message: decode(`${name}Response`, answer.bytes) };
        }, envoy);
      } finally {
        client.close();
      }
    },
    { ...options, token },
  );
}

const entries = (tenant: string, more: JsonObject[] = []) => ({ entries: [{ key: 'tenant', value: tenant }, ...more] });

describe('the rate limit service', () => {
  it('counts hits and says what is left', async () => {
    await asking(async (call) => {
      const request = { domain: 'any', descriptors: [entries('t1')] };
      const first = await call(RATE_LIMIT, 'RateLimit', request);
      expect(first.message).toMatchObject({
        overall_code: 1,
        statuses: [
          {
            code: 1,
            current_limit: { requests_per_unit: 5, unit: 2, name: 'gate.minute' },
            limit_remaining: 4,
            duration_until_reset: { seconds: '60' },
          },
        ],
      });
      expect(first.message.response_headers_to_add).toContainEqual({
        key: 'ratelimit',
        value: '"gate.minute";r=4;t=60',
      });
      expect((await call(RATE_LIMIT, 'RateLimit', { ...request, hits_addend: 4 })).message).toMatchObject({
        overall_code: 1,
      });
      const last = await call(RATE_LIMIT, 'RateLimit', request);
      expect(last.message).toMatchObject({ overall_code: 2, statuses: [{ code: 2 }] });
      expect(last.message.response_headers_to_add).toContainEqual({ key: 'retry-after', value: '60' });
    });
  });

  it('takes of all descriptors or of none', async () => {
    await asking(async (call) => {
      await call(RATE_LIMIT, 'RateLimit', { descriptors: [entries('t2')], hits_addend: 5 });
      const both = await call(RATE_LIMIT, 'RateLimit', { descriptors: [entries('t3'), entries('t2')] });
      expect(both.message).toMatchObject({ overall_code: 2, statuses: [{ code: 1 }, { code: 2 }] });
      const other = await call(RATE_LIMIT, 'RateLimit', { descriptors: [entries('t3')], hits_addend: 5 });
      expect(other.message).toMatchObject({ overall_code: 1 });
    });
  });

  it('says as much as 32 bits hold, and takes more hits than whole numbers hold for too many', async () => {
    await asking(async (call) => {
      const wide = await call(RATE_LIMIT, 'RateLimit', {
        descriptors: [{ ...entries('wide'), hits_addend: { value: '5000000000' } }],
      });
      expect(wide.message).toMatchObject({
        statuses: [{ current_limit: { requests_per_unit: 4_294_967_295, unit: 5 }, limit_remaining: 4_294_967_295 }],
      });
      const huge = { ...entries('t4'), hits_addend: { value: '18446744073709551615' } };
      expect((await call(RATE_LIMIT, 'RateLimit', { descriptors: [huge] })).message).toMatchObject({ overall_code: 2 });
      expect(
        (await call(RATE_LIMIT, 'RateLimit', { descriptors: [entries('t4')], hits_addend: 5 })).message,
      ).toMatchObject({ overall_code: 1 });
    });
  });

  it.each([
    ['bytes that are no message', Uint8Array.from([0xff, 0xff, 0xff])],
    ['a field that ends early', Uint8Array.from([0x12, 0x7f, 0x0a])],
    ['no descriptor', { domain: 'x' }],
    ['a line end in a name', { descriptors: [entries('t5\r\nx: y')] }],
    ['negative hits', { descriptors: [{ ...entries('t5'), is_negative_hits: true }] }],
  ])('refuses %s', async (_, request) => {
    await asking(async (call) => {
      expect((await call(RATE_LIMIT, 'RateLimit', request)).code).toBe(3);
      expect(
        (await call(RATE_LIMIT, 'RateLimit', { descriptors: [entries('t5')], hits_addend: 5 })).message,
      ).toMatchObject({ overall_code: 1 });
    });
  });
});

describe('ext_authz', () => {
  const request = {
    attributes: {
      request: {
        http: {
          id: '1',
          method: 'GET',
          path: '/v1/users/17?a=b',
          headers: [
            { key: 'x-api-key', value: 't6' },
            { key: 'x-taximeter-tenant', value: 'wide' },
          ],
        },
      },
      context_extensions: [{ key: 'tenant', value: 'header:X-API-Key' }],
    },
  };

  it('lets pass with headers for the client, and denies with status, headers and body', async () => {
    await asking(async (call) => {
      const statuses = [];
      for (let i = 0; i < 6; i++) statuses.push((await call(CHECK, 'Check', request)).message);
      expect(statuses[0]).toMatchObject({ status: {}, ok_response: { response_headers_to_add: expect.any(Array) } });
      expect(statuses[4]).toHaveProperty('ok_response');
      expect(statuses[5]).toMatchObject({ status: { code: 8 }, denied_response: { status: { code: 429 } } });
      const denied = (statuses[5] as { denied_response?: { body: string; headers: unknown[] } }).denied_response!;
      expect(JSON.parse(denied.body)).toMatchObject({ 'violated-policies': ['gate.minute'] });
      expect(denied.headers).toContainEqual({ header: { key: 'retry-after', value: '60' } });
    });
  });
});

describe('the listener', () => {
  it('is healthy, and asks for the token', async () => {
    await asking(async (call, port) => {
      const descriptors = [entries('t7')];
      expect((await call(RATE_LIMIT, 'RateLimit', { descriptors })).code).toBe(16);
      const metadata = new Metadata();
      metadata.set('authorization', 'Bearer a-token-of-its-own');
      expect((await call(RATE_LIMIT, 'RateLimit', { descriptors }, metadata)).code).toBe(0);
      const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
      const asIs = (bytes: Buffer) => bytes;
      const health = await new Promise<Buffer | undefined>((done) => {
        client.makeUnaryRequest('/grpc.health.v1.Health/Check', asIs, asIs, Buffer.alloc(0), (_, answer) =>
          done(answer),
        );
      });
      expect(health).toEqual(Buffer.from([8, 1]));
      client.close();
    }, 'a-token-of-its-own');
  });

  it('asks for the token before it reads a message', async () => {
    await asking(async (call) => {
      expect((await call(RATE_LIMIT, 'RateLimit', Buffer.alloc(300_000))).code).toBe(16);
      const metadata = new Metadata();
      metadata.set('authorization', 'Bearer a-token-of-its-own');
      expect((await call(RATE_LIMIT, 'RateLimit', Buffer.alloc(300_000), metadata)).code).toBe(8);
    }, 'a-token-of-its-own');
  });

  it('gives up whoever does not send what it began', async () => {
    await asking(
      async (call, port) => {
        const session = connect(`http://127.0.0.1:${port}`).on('error', () => undefined);
        const head = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
        const slow = [1, 2, 3].map(() => session.request({ ...head, ':path': RATE_LIMIT }));
        for (const stream of slow) stream.on('error', () => undefined).write(Buffer.from([0, 0, 0, 9, 9, 1]));
        const answers = await Promise.all(slow.map((stream) => once(stream, 'response')));
        expect(answers.map(([headers]) => Number(headers['grpc-status']))).toEqual([4, 4, 4]);
        session.destroy();
        expect((await call(RATE_LIMIT, 'RateLimit', { descriptors: [entries('t8')] })).code).toBe(0);
      },
      '',
      { patience: { headMs: 20_000, bodyMs: 200, idleMs: 20_000 } },
    );
  });
});
