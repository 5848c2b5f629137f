import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Metadata, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protobufFromJson } from '../../test/conformance/otlp-messages.ts';
import { GrpcClient, otlpMethods } from '../../test/support/grpc-client.ts';
import { type ListeningHouse, openListeningHouse } from '../../test/support/listening-house.ts';

const LIMIT = 1 << 20;
const TOKEN = 'a-token-of-twenty-characters';
const WHEN = '1735689600123456789';
const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const span = { ...ids, startTimeUnixNano: WHEN, endTimeUnixNano: WHEN };
const traces = (spans: readonly object[]) =>
  protobufFromJson('ExportTraceServiceRequest', { resourceSpans: [{ scopeSpans: [{ spans }] }] });
const metrics = protobufFromJson('ExportMetricsServiceRequest', {
  resourceMetrics: [
    { scopeMetrics: [{ metrics: [{ name: 'm', gauge: { dataPoints: [{ timeUnixNano: WHEN, asInt: '1' }] } }] }] },
  ],
});
const attribute = { key: 'taximeter.tenant', value: { stringValue: 'acme' } };
const logs = protobufFromJson('ExportLogsServiceRequest', {
  resourceLogs: [{ scopeLogs: [{ logRecords: [{ timeUnixNano: WHEN, attributes: [attribute] }, {}] }] }],
});

function bearer(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

let open: ListeningHouse;
beforeAll(async () => {
  open = await openListeningHouse(LIMIT);
});
afterAll(() => open.close());

/** Runs a test with clients of the gRPC port; at the end nothing is held any more. */
async function withClients(
  test: (plain: GrpcClient, gzip: GrpcClient, port: number) => Promise<void>,
  options: Parameters<ListeningHouse['listening']>[1] = {},
): Promise<void> {
  await open.listening(async ({ otlpGrpc }) => {
    const clients = [new GrpcClient(otlpGrpc), GrpcClient.gzipping(otlpGrpc)] as const;
    try {
      await test(...clients, otlpGrpc);
      while (open.house.bodies.waitingBytes > 0) await new Promise((turn) => setImmediate(turn));
    } finally {
      for (const client of clients) client.close();
    }
  }, options);
}

describe('what is sent', () => {
  it.each([
    ['traces', traces([span]), { spans: 1, samples: 0, lines: 0 }],
    ['metrics', metrics, { spans: 0, samples: 1, lines: 0 }],
    ['logs', logs, { spans: 0, samples: 0, lines: 1 }],
  ] as const)('%s are taken, plain and packed, and answered with nothing', async (signal, bytes, counts) => {
    await withClients(async (plain, gzip) => {
      const { spans, samples, lines } = open.house.collector.counts;
      const answers = [plain, gzip].map((client) => client.call(otlpMethods[signal], bytes, new Metadata()));
      expect(await Promise.all(answers)).toMatchObject(Array(2).fill({ code: 0, bytes: Buffer.alloc(0) }));
      expect(open.house.collector.counts).toMatchObject({
        spans: spans + 2 * counts.spans,
        samples: samples + 2 * counts.samples,
        lines: lines + 2 * counts.lines,
      });
    });
  });

  it('an empty request is a request', async () => {
    await withClients(async (plain) => {
      expect(await plain.call(otlpMethods.logs, Buffer.alloc(0), new Metadata())).toMatchObject({ code: 0 });
    });
  });

  it('what is refused is told in a partial success', async () => {
    await withClients(async (plain) => {
      const bad = { ...span, spanId: '00'.repeat(8) };
      const { code, bytes } = await plain.call(otlpMethods.traces, traces([span, bad]), new Metadata());
      const words = Buffer.from('1 span_id_invalid');
      expect([code, bytes.toString('hex')]).toEqual([
        0,
        `0a${(4 + words.length).toString(16)}080112${words.length.toString(16)}${words.toString('hex')}`,
      ]);
    });
  });

  it('many at once are all answered', async () => {
    await withClients(async (plain, gzip) => {
      const body = traces(Array.from({ length: 300 }, () => span));
      const calls = Array.from({ length: 200 }, (_, i) =>
        (i % 2 === 0 ? plain : gzip).call(otlpMethods.traces, body, new Metadata()),
      );
      expect(new Set((await Promise.all(calls)).map(({ code }) => code))).toEqual(new Set([0]));
    });
  });
});

describe('what is refused', () => {
  const bomb = Buffer.alloc(64 << 20);
  it.each<readonly [string, 'plain' | 'gzip', string, Buffer, number]>([
    [
      'bytes that are no message',
      'plain',
      otlpMethods.traces,
      Buffer.from('0a7f010203', 'hex'),
      status.INVALID_ARGUMENT,
    ],
    ['the same, packed', 'gzip', otlpMethods.logs, Buffer.from('0a7f010203', 'hex'), status.INVALID_ARGUMENT],
    ['a message over the limit', 'plain', otlpMethods.metrics, Buffer.alloc(LIMIT + 1), status.RESOURCE_EXHAUSTED],
    ['one that is over it when unpacked', 'gzip', otlpMethods.traces, bomb, status.RESOURCE_EXHAUSTED],
    [
      'another method',
      'plain',
      '/opentelemetry.proto.collector.trace.v1.TraceService/Import',
      traces([span]),
      status.UNIMPLEMENTED,
    ],
    [
      'another service',
      'plain',
      '/opentelemetry.proto.collector.profiles.v1.ProfilesService/Export',
      Buffer.alloc(0),
      status.UNIMPLEMENTED,
    ],
  ])('%s', async (_, how, path, bytes, code) => {
    await withClients(async (plain, gzip) => {
      const answer = await (how === 'plain' ? plain : gzip).call(path, bytes, new Metadata());
      expect(answer).toMatchObject({ code, status: null });
      expect(answer.details).not.toBe('');
      expect(await plain.call(otlpMethods.traces, traces([span]), new Metadata())).toMatchObject({ code: 0 });
    });
    expect(open.logged).toEqual([]);
  });

  it('packed bytes that are damaged', async () => {
    await withClients(async (_plain, _gzip, port) => {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      const stream = session.request({
        ...{ ':method': 'POST', ':path': otlpMethods.traces, 'content-type': 'application/grpc', te: 'trailers' },
        'grpc-encoding': 'gzip',
      });
      const packed = gzipSync(traces([span])).subarray(0, 20);
      const head = Buffer.from([1, 0, 0, 0, packed.length]);
      stream.end(Buffer.concat([head, packed]));
      const [headers] = (await once(stream, 'response')) as [Record<string, string>];
      expect(Number(headers['grpc-status'])).toBe(status.INTERNAL);
      session.close();
    });
  });
});

describe('who may send', () => {
  const withToken = { token: TOKEN };
  it.each<readonly [string, Metadata, number]>([
    ['nobody known', new Metadata(), status.UNAUTHENTICATED],
    ['a wrong token', bearer('a-token-of-twenty-charactert'), status.UNAUTHENTICATED],
    ['the token', bearer(TOKEN), 0],
    ['a command on this machine', bearer('local'), 0],
  ])('with a token: %s', async (_, metadata, code) => {
    await withClients(async (plain) => {
      expect(await plain.call(otlpMethods.traces, traces([span]), metadata)).toMatchObject({ code });
    }, withToken);
  });

  it('whoever is not known is refused before a body is read', async () => {
    await withClients(async (plain) => {
      const answer = await plain.call(otlpMethods.traces, Buffer.alloc(LIMIT + 1), new Metadata());
      expect(answer.code).toBe(status.UNAUTHENTICATED);
    }, withToken);
  });

  it('without a token: only for a local name', async () => {
    await withClients(async (_plain, _gzip, port) => {
      const foreign = new GrpcClient(port, { 'grpc.default_authority': 'evil.example' });
      const answer = await foreign.call(otlpMethods.traces, traces([span]), new Metadata());
      expect(answer.code).toBe(status.PERMISSION_DENIED);
      foreign.close();
    });
  });
});

/** Opens a request and sends a part of its message. */
function half(port: number, sentBytes: number) {
  const session = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => undefined);
  const headers = {
    ':method': 'POST',
    ':path': otlpMethods.traces,
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  const stream = session.request(headers).on('error', () => undefined);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(LIMIT, 1);
  stream.write(Buffer.concat([head, Buffer.alloc(sentBytes)]));
  return { session, stream };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((turn) => setImmediate(turn));
}

describe('a sender that is slow', () => {
  const waiting = () => open.house.bodies.waitingBytes;

  it('takes its turn, and gives it back when it goes away', async () => {
    await withClients(async (plain, _gzip, port) => {
      const slow = half(port, 1000);
      await until(() => waiting() === LIMIT);
      const behind = half(port, 1000);
      const answer = plain.call(otlpMethods.traces, traces([span]), new Metadata());
      behind.session.destroy();
      slow.session.destroy();
      expect(await answer).toMatchObject({ code: 0 });
    });
  });

  it('is given up', async () => {
    await withClients(
      async (plain, _gzip, port) => {
        const { stream, session } = half(port, 1000);
        const [headers] = (await once(stream, 'response')) as [Record<string, string>];
        expect(Number(headers['grpc-status'])).toBe(status.DEADLINE_EXCEEDED);
        expect(await plain.call(otlpMethods.traces, traces([span]), new Metadata())).toMatchObject({ code: 0 });
        session.destroy();
      },
      { patience: { headMs: 20_000, bodyMs: 300, idleMs: 20_000 } },
    );
  });

  it('waits while bodies of other listeners take the memory', async () => {
    await withClients(async (plain, _gzip, port) => {
      const holds = [1, 2, 3].map(() => open.house.bodies.hold()!);
      const answer = await plain.call(otlpMethods.traces, traces([span]), new Metadata());
      expect(answer).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('SERVER_BUSY') });
      for (const hold of holds) hold.giveBack();
      expect(port).toBeGreaterThan(0);
    });
  });
});

describe('the listener', () => {
  it('outlives what is no HTTP/2', async () => {
    await withClients(async (plain, _gzip, port) => {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(10));
      await once(socket.resume(), 'close');
      expect(await plain.call(otlpMethods.traces, traces([span]), new Metadata())).toMatchObject({ code: 0 });
    });
  });

  it('is off with port 0, and says when its port is taken', async () => {
    await open.listening(async ({ otlpGrpc }) => {
      await expect(open.listening(async () => undefined, { grpcPort: otlpGrpc })).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        facts: { port: otlpGrpc },
      });
      await open.listening(async () => undefined, { grpcPort: 0 });
    });
  });
});

describe('a full journal', () => {
  it('is told to senders with a RetryInfo of 5 seconds', async () => {
    await open.close();
    open = await openListeningHouse(LIMIT, '', undefined, 128);
    await withClients(async (plain) => {
      const many = traces(Array.from({ length: 100 }, () => span));
      const answer = await plain.call(otlpMethods.traces, many, new Metadata());
      expect(answer).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('JOURNAL_FULL') });
      expect(answer.status!.toString('latin1')).toContain('type.googleapis.com/google.rpc.RetryInfo');
      expect(answer.status!.subarray(-4).toString('hex')).toBe('0a020805');
    });
  });
});
