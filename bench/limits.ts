// npm run bench -- limits: decisions a second and bytes a key, beside others in the same run.
import { rateLimit } from 'express-rate-limit';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { compilePolicies, Limiter, limitPolicySpec, MemoryStore, subjectOf } from '../src/limit/index.ts';

const nobody = () => null;

function limiterOf(specs: Record<string, object>, nowUs: () => number): { limiter: Limiter; store: MemoryStore } {
  const store = new MemoryStore({ nowUs, mostKeys: 20_000_000, mostHeld: 1_000 });
  const limiter = new Limiter({ store, nowUs, ratedCostOf: nobody, warn: () => undefined });
  const versions = Object.entries(specs).map(([name, spec]) => ({
    name,
    version: 1,
    spec: limitPolicySpec.parse(spec),
  }));
  limiter.usePolicies(compilePolicies(versions, new Map()));
  return { limiter, store };
}

/** Organisation, tenant, consumer, endpoint: a rate and three windows. */
const fourLevels = {
  organisation: { per: ['organisation'], limits: [{ id: 'day', amount: 1e12, window: { calendar: 'day' } }] },
  tenant: { per: ['tenant'], limits: [{ id: 'hour', amount: 1e9, window: { fixed: '1h' } }] },
  consumer: { per: ['tenant', 'consumer'], limits: [{ id: 'rate', amount: 1_000, rate: { per: '1s', burst: 2_000 } }] },
  endpoint: { per: ['tenant', 'endpoint'], limits: [{ id: 'rate', amount: 100_000, rate: { per: '1s' } }] },
};

const fourWindows = {
  key: {
    per: ['tenant', 'consumer'],
    limits: [
      { id: 'rate', amount: 10, rate: { per: '1s', burst: 20 } },
      { id: 'minute', amount: 100, window: { fixed: '60s' } },
      { id: 'day', amount: 10_000, window: { rolling: '24h' } },
      { id: 'month', amount: 100_000, window: { calendar: 'month' } },
    ],
  },
};

export interface LimitFigures {
  readonly keys: number;
  readonly decisionsPerSecond: number;
  /** Of asks that were made a moment before, as a server has them. */
  readonly freshPerSecond: number;
  readonly flexiblePerSecond: number;
  readonly expressPerSecond: number;
  readonly bytesPerKey: number;
}

function askOf(i: number) {
  const tenant = `tenant-${Math.floor(i / 100)}`;
  const organisation = `org-${Math.floor(i / 10_000)}`;
  const subject = subjectOf({ organisation, tenant, consumer: `key-${i}`, endpoint: `GET /v1/things/${i % 20}` });
  return { subject, units: 1, money: null, least: 0, isPeek: false, hold: null };
}

/** A thousand asks are made, then decided: only that is measured. */
function freshPerSecond(limiter: Limiter, order: Uint32Array): number {
  let us = 0;
  for (let at = 0; at < order.length; at += 1_000) {
    const asks = Array.from(order.subarray(at, at + 1_000), askOf);
    const began = process.cpuUsage();
    for (const ask of asks) void limiter.decide(ask);
    const { user, system } = process.cpuUsage(began);
    us += user + system;
  }
  return order.length / (us / 1e6);
}

/** Takes  keys: consumers, 100 of each tenant. */
export async function benchLimits(keys: number): Promise<LimitFigures> {
  const nowUs = () => Math.floor(performance.timeOrigin * 1000 + performance.now() * 1000);
  const asks = Array.from({ length: keys }, (_, i) => askOf(i));
  const order = shuffled(keys);
  const { limiter } = limiterOf(fourLevels, nowUs);
  const run = () => {
    const began = process.cpuUsage();
    for (const place of order) void limiter.decide(asks[place]!);
    const { user, system } = process.cpuUsage(began);
    return keys / ((user + system) / 1e6);
  };
  run();
  const decisionsPerSecond = run();
  return {
    keys,
    decisionsPerSecond,
    freshPerSecond: freshPerSecond(limiter, order),
    flexiblePerSecond: await flexible(order),
    expressPerSecond: await express(order),
    bytesPerKey: bytesPerKey(asks),
  };
}

/** The same seed at every run. */
function shuffled(length: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  let state = 42;
  for (let i = length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** One level only: it has no more. */
async function flexible(order: Uint32Array): Promise<number> {
  const limiter = new RateLimiterMemory({ points: 1_000, duration: 3_600 });
  const began = process.cpuUsage();
  for (const place of order.subarray(0, 200_000)) await limiter.consume(`key-${place}`);
  const { user, system } = process.cpuUsage(began);
  return Math.min(200_000, order.length) / ((user + system) / 1e6);
}

/** One level only: it has no more. */
async function express(order: Uint32Array): Promise<number> {
  const options = { windowMs: 3_600_000, limit: 1_000, validate: false, legacyHeaders: false } as const;
  let key = '';
  const middleware = rateLimit({ ...options, keyGenerator: () => key });
  const response = { setHeader: () => undefined, headersSent: false, statusCode: 200 };
  const began = process.cpuUsage();
  for (const place of order.subarray(0, 200_000)) {
    key = `key-${place}`;
    await middleware({} as never, response as never, () => undefined);
  }
  const { user, system } = process.cpuUsage(began);
  return Math.min(200_000, order.length) / ((user + system) / 1e6);
}

function bytesPerKey(asks: readonly Parameters<Limiter['decide']>[0][]): number {
  const { limiter } = limiterOf(fourWindows, () => Date.UTC(2026, 5, 1) * 1000);
  globalThis.gc?.();
  const before = process.memoryUsage();
  for (const ask of asks) void limiter.decide(ask);
  globalThis.gc?.();
  const after = process.memoryUsage();
  const taken = after.heapUsed - before.heapUsed + (after.arrayBuffers - before.arrayBuffers);
  return limiter.policies.length > 0 ? taken / asks.length : Number.NaN;
}
