import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Ask, LeasingStore, Limiter, RedisStore, subjectOf } from '../../src/limit/index.ts';
import { policiesOf, policy } from '../conformance/limits/world.ts';
import { describeWith, redis } from '../support/available.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';

const tokens = policy('tokens', 'per: [tenant]', 'id: minute, amount: 162000, unit: tokens, window: { rolling: 60s }');
const BUDGET = 162_000;
const COST = 1_500;
const soon = { timeout: 300_000, interval: 20 };
const debug = ['--enable-debug-command', 'yes'];

function ask(tenant: string, units = COST): Ask {
  return { subject: subjectOf({ tenant }), units, money: null, least: 0, isPeek: false, hold: null };
}

/** A node: a limiter with a connection of its own, by the server's clock. */
async function node(
  url: string,
  document: string,
  withinMs = 30_000,
): Promise<{ limiter: Limiter; store: RedisStore }> {
  const warn = () => undefined;
  const store = await RedisStore.open({ url, withinMs, warn });
  const limiter = new Limiter({ store, nowUs: () => Date.now() * 1000, ratedCostOf: () => null, warn });
  limiter.usePolicies(policiesOf(document));
  return { limiter, store };
}

/** A node that leases, on a clock that can be put forward: the end of a lease need not be waited for. */
async function leasingNode(url: string, withinMs = 30_000) {
  const clock = { aheadUs: 0 };
  const nowUs = () => Math.floor((performance.timeOrigin + performance.now()) * 1000) + clock.aheadUs;
  const warn = () => undefined;
  const redis = await RedisStore.open({ url, withinMs, warn });
  const store = new LeasingStore({ store: redis, nowUs });
  const limiter = new Limiter({ store, nowUs, ratedCostOf: () => null, warn });
  limiter.usePolicies(policiesOf(tokens.replace('spec:\n', 'spec:\n  onStoreFailure: lease\n')));
  const putForward = async (seconds: number) => {
    clock.aheadUs += seconds * 1_000_000;
    store.sweep();
    await expect.poll(() => store.leases.outstanding, soon).toBe(0);
  };
  return { limiter, store, redis, putForward };
}

async function passed(limiters: readonly Limiter[], tenant: string, each: number): Promise<number> {
  const all = limiters.flatMap((limiter) => Array.from({ length: each }, () => limiter.decide(ask(tenant))));
  return (await Promise.all(all)).filter(({ isAllowed }) => isAllowed).length;
}

describeWith(redis(), 'limits of several nodes in one Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.kill());

  it('admits 162,000 tokens a minute and not one more to ten nodes, one of which dies', async () => {
    const nodes = await Promise.all(Array.from({ length: 10 }, () => node(server.url, tokens)));
    const limiters = nodes.map(({ limiter }) => limiter);
    const first = await passed(limiters, 'ten', 8);
    await nodes[0]!.store.close();
    const rest = await passed(limiters.slice(1), 'ten', 20);
    expect((first + rest) * COST).toBe(BUDGET);
    const one = await limiters[1]!.decide(ask('ten'));
    expect(one).toMatchObject({ isAllowed: false, reason: 'over_limit' });
    for (const { store } of nodes.slice(1)) await store.close();
  });

  it('admits no more to ten nodes that lease, one of which dies with its lease', async () => {
    const nodes = await Promise.all(Array.from({ length: 10 }, () => leasingNode(server.url)));
    let calls = 0;
    for (let round = 0; round < 4; round++)
      calls += await passed(
        nodes.map(({ limiter }) => limiter),
        'leases',
        2,
      );
    // It has given out some of it, and nobody hears of the rest.
    const [dead, ...living] = nodes;
    const { outstanding: buried } = dead!.store.leases;
    await dead!.redis.close();
    for (let round = 0; round < 6; round++)
      calls += await passed(
        living.map(({ limiter }) => limiter),
        'leases',
        3,
      );
    for (const { putForward } of living) await putForward(10);
    const used = nodes.reduce((sum, { store }) => sum + store.leases.used, 0);
    expect(used).toBeGreaterThan(0);
    calls += await passed([living[0]!.limiter], 'leases', 110);
    expect(calls * COST).toBeLessThanOrEqual(BUDGET);
    expect(calls * COST).toBeGreaterThanOrEqual(BUDGET - buried - COST + 1);
    expect(await living[1]!.limiter.decide(ask('leases'))).toMatchObject({ isAllowed: false, reason: 'over_limit' });
    for (const { store } of living) await store.close();
    await dead!.store.close();
  });

  it('gives out what it has leased while the server stands still for 10 s, and nothing else', async () => {
    const node = await leasingNode(server.url, 100);
    let calls = await passed([node.limiter], 'still', 10);
    process.kill(server.pid, 'SIGSTOP');
    try {
      const leased = Math.floor(node.store.leases.outstanding / COST);
      calls += leased;
      expect(await passed([node.limiter], 'still', leased)).toBe(leased);
      expect(await node.limiter.decide(ask('still'))).toMatchObject({ isAllowed: false, reason: 'store_unavailable' });
      await node.putForward(10);
      expect(await node.limiter.decide(ask('still'))).toMatchObject({ isAllowed: false, reason: 'store_unavailable' });
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    const patient = await leasingNode(server.url);
    calls += await passed([patient.limiter], 'still', 120);
    expect(calls * COST).toBeLessThanOrEqual(BUDGET);
    expect(calls * COST).toBeGreaterThanOrEqual(BUDGET - 6 * COST);
    for (const { store } of [node, patient]) await store.close();
  });

  it('does as each policy says while the server stands still, and counts on afterwards', async () => {
    const open = tokens.replace('spec:\n', 'spec:\n  onStoreFailure: open\n  localCap: 3000\n');
    const [closed, capped] = [await node(server.url, tokens, 60), await node(server.url, open, 60)];
    expect(await passed([closed.limiter], 'pause', 8)).toBe(8);
    process.kill(server.pid, 'SIGSTOP');
    try {
      expect(await closed.limiter.decide(ask('pause'))).toMatchObject({
        isAllowed: false,
        reason: 'store_unavailable',
      });
      expect(await passed([capped.limiter], 'pause', 5)).toBe(2);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    const patient = await node(server.url, tokens);
    // Decisions that nobody waited for may have been counted: that is less admitted, never more.
    const rest = await passed([patient.limiter], 'pause', 120);
    expect(8 + rest).toBeLessThanOrEqual(BUDGET / COST);
    expect(8 + rest).toBeGreaterThanOrEqual(BUDGET / COST - 6);
    for (const { store } of [closed, capped, patient]) await store.close();
  });

  it('counts on in the replica that takes over, which has not seen the script', async () => {
    const primary = await startRedis('--repl-diskless-sync-delay', '0', ...debug);
    const replica = await startRedis('--replicaof', '127.0.0.1', String(primary.port), ...debug);
    try {
      await expect
        .poll(async () => String(await replica.command('INFO', 'replication')), soon)
        .toContain('master_link_status:up');
      const before = await node(primary.url, tokens);
      expect(await passed([before.limiter], 'over', 100)).toBe(100);
      await expect.poll(() => replica.command('DEBUG', 'DIGEST'), soon).toBe(await primary.command('DEBUG', 'DIGEST'));
      await before.store.close();
      await primary.kill();
      await replica.command('REPLICAOF', 'NO', 'ONE');
      const after = await node(replica.url, tokens);
      expect(await passed([after.limiter], 'over', 50)).toBe(8);
      await replica.command('SCRIPT', 'FLUSH');
      expect(await passed([after.limiter], 'over', 5)).toBe(0);
      await after.store.close();
    } finally {
      await replica.kill();
      await primary.kill();
    }
  });
});
