import type { Config } from '../cli/index.ts';
import { CounterFile, Limiter, MemoryStore, RedisStore, readPolicies } from '../limit/index.ts';
import type { Log } from '../serve/index.ts';
import type { Store } from '../store/index.ts';

/** Opens the counters of limits: in Redis where one is given, else in memory with a file of the data folder. */
export async function openLimits(config: Config, folder: string, store: Store, log: Log) {
  const nowUs = steadyClock();
  const warn = (message: string, facts: Record<string, unknown>) => log.warn(message, facts);
  const policies = await readPolicies(store.documents);
  const ratedCostOf = () => null;
  if (config.redisUrl !== undefined) {
    const counters = await RedisStore.open({ url: config.redisUrl, withinMs: 1_000, warn });
    const limiter = new Limiter({ store: counters, nowUs, ratedCostOf, warn });
    limiter.usePolicies(policies);
    return { limiter, close: () => counters.close() };
  }
  const counters = new MemoryStore({ nowUs, mostKeys: config.limitKeys, mostHeld: 1_000_000 });
  const file = await CounterFile.open(folder, counters, policies, warn);
  const limiter = new Limiter({ store: counters, nowUs, ratedCostOf, warn, synced: () => file.synced() });
  limiter.usePolicies(policies);
  return { limiter, close: () => file.close() };
}

/** Microseconds since 1970 by a clock that does not jump when somebody sets the time. */
function steadyClock(): () => number {
  const startUs = Date.now() * 1000 - Math.floor(performance.now() * 1000);
  return () => startUs + Math.floor(performance.now() * 1000);
}
