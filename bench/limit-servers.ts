import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Metadata } from '@grpc/grpc-js';
import { createClient } from '@redis/client';
import { compilePolicies, Limiter, limitPolicySpec, RedisStore, subjectOf } from '../src/limit/index.ts';
import { freePort } from '../test/support/child-server.ts';
import { GrpcClient } from '../test/support/grpc-client.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { startServer } from './server.ts';

const policies = ['organisation', 'tenant', 'consumer', 'endpoint']
  .map((level) => {
    const per = level === 'consumer' || level === 'endpoint' ? `[tenant, ${level}]` : `[${level}]`;
    const limits = '[{ id: rate, amount: 1000000, rate: { per: 1s } }]';
    return `apiVersion: taximeter/v1\nkind: LimitPolicy\nmetadata: { name: ${level} }\nspec: { per: ${per}, onStoreFailure: lease, limits: ${limits} }\n`;
  })
  .join('---\n');

/** Requests a second of all connections together, what the server's CPU spent, and how long the slowest hundredth took. */
export interface ServerFigures {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly p99Ms: number;
}

interface Servers {
  readonly http: ServerFigures;
  readonly grpc: ServerFigures;
  /** The same requests to servers that answer without deciding anything. */
  readonly bareHttp: ServerFigures;
  readonly bareGrpc: ServerFigures;
}

export async function benchServers(requests: number, folder: string): Promise<Servers> {
  const [port, envoyPort] = [await freePort(), await freePort()];
  const server = await startServer(folder, [port, await freePort()], { TAXIMETER_ENVOY_PORT: String(envoyPort) });
  try {
    await fetch(`${server.api}/api/v1/documents`, { method: 'POST', body: policies });
    const cpuSeconds = async () => server.cpuSeconds();
    return {
      http: await measured(requests, cpuSeconds, (count) => overHttp(port, count)),
      grpc: await measured(requests, cpuSeconds, (count) => overGrpc(envoyPort, count)),
      bareHttp: await bare('http', requests, overHttp),
      bareGrpc: await bare('grpc', requests, overGrpc),
    };
  } finally {
    await server.stop();
  }
}

async function measured(
  requests: number,
  cpuSeconds: () => Promise<number>,
  run: (count: number) => Promise<number[]>,
): Promise<ServerFigures> {
  await run(Math.min(requests, 5_000));
  const [cpu, began] = [await cpuSeconds(), performance.now()];
  const times = (await run(requests)).sort((a, b) => a - b);
  const seconds = (performance.now() - began) / 1000;
  const perCpuSecond = times.length / ((await cpuSeconds()) - cpu);
  return { perSecond: times.length / seconds, perCpuSecond, p99Ms: times[Math.floor(times.length * 0.99)]! };
}

const bareServer = fileURLToPath(new URL('./bare-server.ts', import.meta.url));

async function bare(
  kind: 'http' | 'grpc',
  requests: number,
  run: (port: number, count: number) => Promise<number[]>,
): Promise<ServerFigures> {
  const port = await freePort();
  const child = fork(bareServer, [kind, String(port)], { execArgv: ['--import', 'tsx'] });
  const told = async () => (await once(child, 'message'))[0] as number;
  await told();
  const cpuSeconds = () => {
    child.send('cpu');
    return told();
  };
  try {
    return await measured(requests, cpuSeconds, (count) => run(port, count));
  } finally {
    child.kill();
  }
}

async function overHttp(port: number, count: number): Promise<number[]> {
  const times: number[] = [];
  let left = count;
  const one = () =>
    new Promise<void>((done) => {
      const socket = connect(port, '127.0.0.1');
      let [began, answer] = [0, ''];
      const send = () => {
        if (left-- <= 0) {
          socket.end();
          done();
          return;
        }
        const body = `{"tenant":"tenant-${left % 1000}","consumer":"key-${left % 5000}","endpoint":"GET /v1/things/{id}"}`;
        began = performance.now();
        socket.write(
          `POST /api/v1/limits/check HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
      };
      socket.on('connect', send);
      socket.on('data', (chunk) => {
        answer += chunk.toString('latin1');
        const head = answer.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/.exec(answer)?.[1] ?? -1);
        if (head < 0 || length < 0 || answer.length < head + 4 + length) return;
        answer = '';
        times.push(performance.now() - began);
        send();
      });
    });
  await Promise.all(Array.from({ length: 32 }, one));
  return times;
}

/** RateLimitRequest { 2: descriptor { 1: entry { tenant }, 1: entry { endpoint } } }. */
const message = Buffer.concat(
  [
    ['tenant', 'tenant-7'],
    ['endpoint', 'GET /v1/things/{id}'],
  ].map(([key, value]) => {
    const entry = Buffer.concat([field(1, key!), field(2, value!)]);
    return Buffer.concat([Buffer.from([10, entry.length]), entry]);
  }),
);
const request = Buffer.concat([Buffer.from([18, message.length]), message]);

function field(number: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, text.length]), Buffer.from(text)]);
}

async function overGrpc(port: number, count: number): Promise<number[]> {
  const client = new GrpcClient(port);
  const times: number[] = [];
  let left = count;
  const metadata = new Metadata();
  const one = async () => {
    while (left-- > 0) {
      const began = performance.now();
      await client.call('/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit', request, metadata);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: 32 }, one));
  client.close();
  return times;
}

/** Decisions of four levels, and bare INCRs, for each second of Redis' own CPU. */
export async function benchRedis(
  decisions: number,
): Promise<{ decisionsPerCpuSecond: number; incrPerCpuSecond: number }> {
  const server = await startRedis();
  const cpu = async () => {
    const info = String(await server.command('INFO', 'cpu'));
    return Number(/used_cpu_user:([\d.]+)/.exec(info)![1]) + Number(/used_cpu_sys:([\d.]+)/.exec(info)![1]);
  };
  const store = await RedisStore.open({ url: server.url, withinMs: 60_000, warn: () => undefined });
  const limiter = new Limiter({
    store,
    nowUs: () => Date.now() * 1000,
    ratedCostOf: () => null,
    warn: () => undefined,
  });
  const specs = [['organisation'], ['tenant'], ['tenant', 'consumer'], ['tenant', 'endpoint']].map((per, i) => {
    const limits = [{ id: 'rate', amount: 1_000_000, rate: { per: '1s' } }];
    return { name: `p${i}`, version: 1, spec: limitPolicySpec.parse({ per, limits }) };
  });
  limiter.usePolicies(compilePolicies(specs, new Map()));
  const decide = async (i: number) => {
    const subject = subjectOf({
      tenant: `tenant-${i % 1000}`,
      consumer: `key-${i % 5000}`,
      endpoint: 'GET /v1/things/{id}',
    });
    await limiter.decide({ subject, units: 1, money: null, least: 0, isPeek: false, hold: null });
  };
  const client = createClient({ url: server.url });
  await client.connect();
  const perCpuSecond = async (each: (i: number) => Promise<unknown>) => {
    const began = await cpu();
    for (let i = 0; i < decisions; i += 200) await Promise.all(Array.from({ length: 200 }, (_, j) => each(i + j)));
    return decisions / ((await cpu()) - began);
  };
  await perCpuSecond(decide);
  const decisionsPerCpuSecond = await perCpuSecond(decide);
  const incrPerCpuSecond = await perCpuSecond((i) => client.incr(`key-${i % 5000}`));
  await store.close();
  client.destroy();
  await server.kill();
  return { decisionsPerCpuSecond, incrPerCpuSecond };
}
