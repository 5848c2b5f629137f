import { once } from 'node:events';
import { createServer, connect as dial, type Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import { type Limiter, RedisStore } from '../../src/limit/index.ts';
import { ask, Clock, limiterOf, policy } from '../conformance/limits/world.ts';
import { describeWith, redis } from '../support/available.ts';
import { freePort } from '../support/child-server.ts';
import { startRedis, startRedisCluster } from '../support/redis-server.ts';

/** A way to a server that can be there or not, on a port that is known before. */
async function wayTo(port: number, target: number) {
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = dial(target, '127.0.0.1');
    for (const socket of [from, to]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => void [from.destroy(), to.destroy()]);
    }
    from.pipe(to).pipe(from);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return () => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((done) => server.close(() => done()));
  };
}

const closed = policy(
  'shut',
  'match: { tenants: [strict] }\n  onStoreFailure: closed',
  'id: a, amount: 5, window: { fixed: 1h }',
);
const open = policy(
  'kind',
  'match: { tenants: [easy] }\n  onStoreFailure: open\n  localCap: 2',
  'id: a, amount: 5, window: { fixed: 1h }',
);

async function said(limiter: Limiter, tenant: string, calls: number): Promise<boolean[]> {
  const allowed = [];
  for (let call = 0; call < calls; call++) allowed.push((await limiter.decide(ask(tenant))).isAllowed);
  return allowed;
}

describeWith(redis(), 'a Redis that is away when the server starts', () => {
  it.each([
    ['one node', async () => [await startRedis()]],
    ['a cluster', async () => (await startRedisCluster()).nodes],
  ])('%s: policies say what happens until it is there, and then it decides', async (name, start) => {
    const nodes = await start();
    const port = await freePort();
    const warned: string[] = [];
    const warn = (message: string) => void warned.push(message);
    const url =
      name === 'one node' ? `redis://127.0.0.1:${port}` : `redis://127.0.0.1:${port},redis://127.0.0.1:${port}`;
    const clock = new Clock();
    const store = await RedisStore.open({ url, withinMs: 500, nowUs: clock.nowUs, warn });
    const limiter = limiterOf(store, clock, `${closed}---\n${open}`);
    expect(await said(limiter, 'strict', 2)).toEqual([false, false]);
    expect(await said(limiter, 'easy', 3)).toEqual([true, true, false]);
    expect(new Set(warned)).toEqual(new Set(['there is no connection to the Redis of the limits; it is tried again']));
    // Many attempts were made; a line each would fill the disk.
    expect(warned.length).toBeLessThan(3);
    const away = await wayTo(port, nodes[0]!.port);
    try {
      await vi.waitFor(async () => expect(await said(limiter, 'strict', 1)).toEqual([true]), { timeout: 60_000 });
      // Nothing of what was said meanwhile was counted there.
      expect(await said(limiter, 'easy', 6)).toEqual([true, true, true, true, true, false]);
    } finally {
      await store.close();
      await away();
      for (const node of nodes) await node.kill();
    }
  });

  it('is closed without waiting for it', async () => {
    for (const url of ['redis://127.0.0.1:1', 'redis://127.0.0.1:1,redis://127.0.0.1:2']) {
      const store = await RedisStore.open({ url, withinMs: 100, warn: () => undefined });
      await store.close();
    }
    await expect(RedisStore.open({ url: 'redis://[', withinMs: 100, warn: () => undefined })).rejects.toMatchObject({
      code: 'LIMIT_STORE_UNAVAILABLE',
    });
  });
});
