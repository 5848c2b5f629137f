import type { Config } from '../cli/index.ts';
import { KeptPrices } from '../ledger/index.ts';
import {
  type CompiledPolicy,
  CounterFile,
  DriftWatch,
  LeasingStore,
  Limiter,
  type LimiterOptions,
  MemoryStore,
  RedisStore,
  readPolicies,
} from '../limit/index.ts';
import type { Log } from '../serve/index.ts';
import type { Store } from '../store/index.ts';

/** Opens the counters of limits with what they need: what calls cost, and the calls that they are held against. */
export async function openLimits(config: Config, folder: string, store: Store, log: Log) {
  const nowUs = steadyClock();
  const warn = (message: string, facts: Record<string, unknown>) => log.warn(message, facts);
  const policies = await readPolicies(store.documents);
  const prices: KeptPrices = new KeptPrices({
    ...{ store, now: () => new Date(), currencies: () => limiter.currencies },
    failed: (cause) => warn('what calls cost could not be read; the last known stays', { cause: String(cause) }),
  });
  const ratedCostOf: LimiterOptions['ratedCostOf'] = (subject, currency) => prices.ratedCostOf(subject, currency);
  const { limiter, close } = await openLimiter(config, folder, { nowUs, warn, ratedCostOf }, policies);
  await prices.refresh();
  return { limiter, prices, drift: new DriftWatch(store.columns, limiter, nowUs), close };
}

/** Counters are in Redis where one is given, else in memory with a file of the data folder. */
async function openLimiter(
  config: Config,
  folder: string,
  options: Omit<LimiterOptions, 'store'>,
  policies: readonly CompiledPolicy[],
) {
  const { nowUs, warn } = options;
  if (config.redisUrl !== undefined) {
    const counters = await RedisStore.open({ url: config.redisUrl, withinMs: 1_000, warn });
    const leasing = new LeasingStore({ store: counters, nowUs });
    const limiter = new Limiter({ ...options, store: leasing });
    limiter.usePolicies(policies);
    return { limiter, close: () => leasing.close() };
  }
  const counters = new MemoryStore({ nowUs, mostKeys: config.limitKeys, mostHeld: config.limitHeld });
  const file = await CounterFile.open(folder, counters, policies, warn);
  const limiter = new Limiter({ ...options, store: counters, synced: () => file.synced() });
  limiter.usePolicies(policies);
  return { limiter, close: () => file.close() };
}

/** Microseconds since 1970 by a clock that does not jump when somebody sets the time. */
function steadyClock(): () => number {
  const startUs = Date.now() * 1000 - Math.floor(performance.now() * 1000);
  return () => startUs + Math.floor(performance.now() * 1000);
}
