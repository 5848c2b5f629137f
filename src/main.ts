import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { finerCharges } from './bill/index.ts';
import { type Config, runCli } from './cli/index.ts';
import { Collector, Quarantine, Retention, readPeriod } from './collect/index.ts';
import { rawFees } from './cost/index.ts';
import { KeptPrices, keepAllocated, type Repetition, repeatedly } from './ledger/index.ts';
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
} from './limit/index.ts';
import {
  Bodies,
  createApi,
  type House,
  type Log,
  listen,
  listenSyslog,
  Sessions,
  SyslogCounts,
} from './serve/index.ts';
import { type FolderHold, holdFolder, openStore, type Store } from './store/index.ts';
import { refreshRollups } from './usage/index.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const pages = join(root, 'web', 'dist');

const ROLLUPS_EVERY_MS = 60_000;
const PRICES_EVERY_MS = 60_000;
const DRIFT_EVERY_MS = 300_000;

/** Opens the rooms on a data folder, from the left to the right of the house. */
async function openHouse(
  config: Config,
  log: Log,
  url: string,
): Promise<{ house: House; hold: FolderHold; close: () => Promise<void> }> {
  // What is written into the data folder, by the engines too, is for its owner only.
  process.umask(0o077);
  const folder = resolve(config.folder);
  const hold = holdFolder(folder);
  try {
    const { clickhouseUrl, postgresUrl } = config;
    // An upload whose import never came belongs to a command that is gone.
    rmSync(join(folder, 'uploads'), { recursive: true, force: true });
    const store = await openStore({ folder, clickhouseUrl, postgresUrl });
    const collector = await Collector.open({
      store,
      folder,
      nowMs: Date.now,
      loadEveryMs: config.loadEveryMs,
      journalCapacityBytes: config.journalBytes,
      weightFallbacks: config.weightFallbacks,
      requestIdAttributes: config.requestIdAttributes,
      eventPrivacy: config.eventPrivacy,
      warn: (message, facts) => log.warn(message, facts),
    });
    const now = () => new Date();
    const quarantine = await Quarantine.open({
      documents: store.documents,
      keepsText: config.quarantineText === '1',
      now,
    });
    const retention = new Retention({
      columns: store.columns,
      keptDays: {
        spans: readPeriod(config.retainSpans) ?? null,
        rollups: readPeriod(config.retainRollups) ?? null,
        samples: readPeriod(config.retainSamples) ?? null,
        events: readPeriod(config.retainEvents) ?? null,
      },
      nowMs: Date.now,
      async settleSince(day) {
        await collector.settleSince(day);
        // Reports on usage are made of calls: what was not counted yet is, before it goes.
        await refreshRollups(store.columns);
      },
      needsRawWork: async (range) => (await finerCharges(store, range)) ?? rawFees(store, range),
    });
    const { limiter, prices, drift, close: closeLimits } = await openLimits(config, folder, store, log);
    const house: House = {
      version,
      folder,
      store,
      collector,
      quarantine,
      retention,
      now,
      bodies: new Bodies(config.bodyBytes),
      sessions: config.token === '' ? null : new Sessions(config.token, now),
      limiter,
      prices,
      drift,
      limitHeaders: config.limitHeaders,
      syslog: new SyslogCounts(),
      limits: { bodyBytes: config.bodyBytes, uploadBytes: config.uploadBytes },
      listeners: {
        api: url,
        otlp: address(config.host, config.otlpPort),
        otlpGrpc: config.otlpGrpcPort === 0 ? '' : address(config.host, config.otlpGrpcPort),
      },
      log,
    };
    const close = async () => {
      await retention.close();
      await closeLimits();
      await collector.close();
      await store.close();
      hold.letGo();
    };
    return { house, hold, close };
  } catch (cause) {
    hold.letGo();
    throw cause;
  }
}

async function serve(config: Config) {
  const log = logger(config.logLevel);
  const localToken = randomBytes(32).toString('hex');
  const url = address(config.host, config.apiPort);
  const { house, hold, close } = await openHouse(config, log, url);
  const api = createApi(house, { pages: existsSync(pages) ? pages : '' });
  try {
    const stopSyslog = await openSyslog(house, config);
    const stopListening = await listen(house, api, { ...config, localToken }).catch(async (cause: unknown) => {
      await stopSyslog();
      throw cause;
    });
    hold.announce({ url, token: localToken });
    scheduleRetention(house);
    const stopRollups = keepRollups(house);
    const prices = repeatedly(PRICES_EVERY_MS, () => house.prices.refresh());
    const drift = repeatedly(DRIFT_EVERY_MS, () => checkDrift(house));
    log.info('ready', { url, ...house.listeners, folder: house.folder });
    const allocated = allocateInBackground(house, config);
    const stop = async () => {
      log.info('stopping');
      await stopRollups();
      await prices.stop();
      await drift.stop();
      await allocated?.stop();
      await stopSyslog();
      await stopListening();
      await close();
    };
    return { url, stop };
  } catch (cause) {
    await close();
    throw cause;
  }
}

function scheduleRetention({ retention, log }: House): void {
  retention.schedule(
    (results) => {
      for (const { keptBecause, ...facts } of results) {
        if (keptBecause === '') log.info('let go of what is older than its period', facts);
        else log.warn('raw spans are kept longer than their period', { ...facts, keptBecause });
      }
    },
    (cause) => log.warn('letting go of old data failed; it will be tried again', { cause: String(cause) }),
  );
}

/** Reports bring the rollups up to date themselves; this leaves them little to do. */
function keepRollups(house: House): () => Promise<unknown> {
  let running: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    running = refreshRollups(house.store.columns).catch((cause: unknown) =>
      house.log.warn('the rollups of usage could not be brought up to date', { cause: String(cause) }),
    );
  }, ROLLUPS_EVERY_MS);
  return () => {
    clearInterval(timer);
    return running;
  };
}

/** Open periods show what they cost so far without anybody's command. */
function allocateInBackground({ store, collector, now, log }: House, { allocateEveryMs }: Config): Repetition | null {
  if (allocateEveryMs === 0) return null;
  return keepAllocated(store, allocateEveryMs, () => collector.storedUntil, now, {
    posted: ({ posted, reversed, rows }) => log.info('allocated', { posted, reversed, rows }),
    failed: (cause) => log.warn('could not allocate; trying again', { reason: (cause as Error).message }),
  });
}

async function checkDrift({ drift, log }: House): Promise<void> {
  await drift.check().catch((cause: unknown) => {
    log.warn('counters could not be held against calls; it will be tried again', { cause: String(cause) });
  });
}

async function openLimits(config: Config, folder: string, store: Store, log: Log) {
  const nowUs = steadyClock();
  const warn = (message: string, facts: Record<string, unknown>) => log.warn(message, facts);
  const policies = await readPolicies(store.documents);
  const prices: KeptPrices = new KeptPrices({
    ...{ store, now: () => new Date(), currencies: () => limiter.currencies },
    failed: (cause) => warn('what calls cost could not be read; the last known stays', { cause: String(cause) }),
  });
  const { limiter, close } = await openLimiter(
    config,
    folder,
    { nowUs, warn, ratedCostOf: (subject, currency) => prices.ratedCostOf(subject, currency) },
    policies,
  );
  await prices.refresh();
  return { limiter, prices, drift: new DriftWatch(store.columns, limiter, nowUs), close };
}

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
  const counters = new MemoryStore({ nowUs, mostKeys: config.limitKeys, mostHeld: 1_000_000 });
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

async function openSyslog(house: House, config: Config): Promise<() => Promise<void>> {
  if (config.syslogPort === undefined) return async () => undefined;
  const { host, syslogPort: port, syslogAllow: allow, syslogFormat: format, syslogTenantFrom: tenantFrom } = config;
  const listeners = await listenSyslog(house, { host, port, allow, format, tenantFrom });
  house.log.info('syslog', { host, port: listeners.port });
  return listeners.stop;
}

async function openLocally(config: Config) {
  const { house, close } = await openHouse(config, logger('warn'), '');
  return { api: createApi(house, { pages: '' }), close };
}

function address(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function logger(level: string): Log {
  const destination = pino.destination({ dest: 2, sync: true });
  // A log that cannot be written must not end the server that would write it.
  destination.on('error', () => undefined);
  const log = pino({ level, base: undefined }, destination);
  return {
    info: (message, facts = {}) => log.info(facts, message),
    warn: (message, facts = {}) => log.warn(facts, message),
    error: (message, facts = {}) => log.error(facts, message),
  };
}

// Whoever reads our output may stop reading: `taximeter parse ... | head`.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => process.exit(cause.code === 'EPIPE' ? 0 : 1));

const exitCode = await runCli(process.argv.slice(2), {
  version,
  environment: process.env,
  openLocally,
  serve,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
// The engine keeps threads; what was printed must be out before they are ended.
process.stdout.write('', () => process.exit(exitCode));
