import { afterAll, beforeAll, describe, it } from 'vitest';
import { type CounterStore, type Limiter, MemoryStore, RedisStore } from '../../../src/limit/index.ts';
import { redis } from '../../support/available.ts';
import { type RedisServer, startRedis, startRedisCluster } from '../../support/redis-server.ts';
import { ask, Clock, limiterOf } from './world.ts';

/** Long enough for a machine that does other things: how long a store is waited for is tested elsewhere. */
const PATIENT_MS = 30_000;

interface Opened {
  /** A store without counters, on a clock. */
  fresh(clock: Clock): Promise<CounterStore>;
  close(): Promise<void>;
}

const engines: { name: string; open: () => Promise<Opened> }[] = [
  {
    name: 'memory',
    open: async () => ({
      fresh: async (clock) => new MemoryStore({ nowUs: clock.nowUs, mostKeys: 100_000, mostHeld: 10_000 }),
      close: async () => undefined,
    }),
  },
  { name: 'Redis', open: () => onRedis(async () => onlyNode(await startRedis())) },
  { name: 'a Redis cluster of three', open: () => onRedis(startRedisCluster) },
];

interface Servers {
  readonly nodes: readonly RedisServer[];
  readonly url: string;
}

function onlyNode(node: RedisServer): Servers {
  return { nodes: [node], url: node.url };
}

async function onRedis(start: () => Promise<Servers>): Promise<Opened> {
  const { nodes, url } = await start();
  const warn = () => undefined;
  let prefix = 'world';
  const stores: Record<string, CounterStore> = {};
  return {
    // Every world has keys of its own; the connection stays.
    fresh: async ({ nowUs }) => {
      prefix += '.';
      const store = await RedisStore.open({ url, withinMs: PATIENT_MS, nowUs, prefix, warn });
      stores[prefix] = store;
      return store;
    },
    close: async () => {
      for (const store of Object.values(stores)) await store.close();
      await Promise.all(nodes.map((node) => node.kill()));
    },
  };
}

/** How many of a number of calls one after the other are allowed. */
export async function passed(limiter: Limiter, calls: number, one = ask('acme')): Promise<number> {
  let allowed = 0;
  for (let call = 0; call < calls; call++) if ((await limiter.decide(one)).isAllowed) allowed++;
  return allowed;
}

/** A limiter on counters that nobody has used yet, with policies. */
export type World = (yaml: string) => Promise<{ clock: Clock; store: CounterStore; limiter: Limiter }>;

/** Runs the same tests on every store; where a server is missing it says so. */
export function onEveryStore(what: string, tests: (world: World) => void): void {
  describe.each(engines)(`${what} in $name`, ({ name, open }) => {
    const reason = name === 'memory' ? undefined : redis().reason;
    if (reason !== undefined) {
      it.skip(reason, () => undefined);
      return;
    }
    let engine: Opened;
    beforeAll(async () => {
      engine = await open();
    });
    afterAll(() => engine.close());
    tests(async (yaml) => {
      const clock = new Clock();
      const store = await engine.fresh(clock);
      return { clock, store, limiter: limiterOf(store, clock, yaml) };
    });
  });
}
