import { Collector, Quarantine, Retention } from '../../src/collect/index.ts';
import { KeptPrices } from '../../src/ledger/index.ts';
import { DriftWatch, Limiter, MemoryStore } from '../../src/limit/index.ts';
import {
  type Api,
  Bodies,
  createApi,
  type House,
  listen,
  Reports,
  Sessions,
  SyslogCounts,
} from '../../src/serve/index.ts';
import { openStore } from '../../src/store/index.ts';
import { freePort } from './child-server.ts';
import { tempFolder } from './temp-folder.ts';

export interface Ports {
  readonly api: number;
  readonly otlp: number;
  readonly otlpGrpc: number;
  readonly envoy: number;
}

/** The real rooms with small limits, whose listeners a test opens as it needs them. */
export interface ListeningHouse {
  readonly house: House;
  /** What was logged as a warning or an error. */
  readonly logged: string[];
  /** Everything that was logged, with its facts. */
  readonly output: string[];
  /** Runs a test while the listeners are open. */
  listening(
    test: (ports: Ports) => Promise<void>,
    options?: {
      readonly patience?: Parameters<typeof listen>[3];
      readonly api?: (real: Api) => Api;
      readonly grpcPort?: number;
      /** Instead of the house's. */
      readonly token?: string;
    },
  ): Promise<void>;
  close(): Promise<void>;
}

/** Opens the rooms on a folder of their own. Takes  token: empty for none. now: the clock. journalCapacityBytes: what may wait until it is loaded, which only `settle` does. */
export async function openListeningHouse(
  limitBytes: number,
  token = '',
  now = () => new Date(),
  journalCapacityBytes = 2 ** 31,
): Promise<ListeningHouse> {
  const folder = tempFolder('listening');
  const logged: string[] = [];
  const output: string[] = [];
  const keep = (message: string, facts: object = {}) => void output.push(JSON.stringify({ message, ...facts }));
  const log = (message: string, facts?: object) => {
    logged.push(message);
    keep(message, facts);
  };
  const store = await openStore({ folder: folder.path });
  const collector = await Collector.open({
    ...{ store, folder: folder.path, nowMs: Date.now, loadEveryMs: 3_600_000, journalCapacityBytes },
    warn: log,
  });
  const quarantine = await Quarantine.open({ documents: store.documents, keepsText: false, now });
  const retention = new Retention({
    columns: store.columns,
    keptDays: { spans: 62, rollups: null, samples: null, events: null },
    nowMs: () => now().getTime(),
    settleSince: (day) => collector.settleSince(day),
    needsRawWork: async () => null,
  });
  const nobody = { mail: { url: '', from: '' }, webhookSecrets: new Map<string, string>(), webhookAllow: '' };
  const prices: KeptPrices = new KeptPrices({
    ...{ store, now, currencies: () => limiter.currencies },
    failed: (cause) => log(String(cause)),
  });
  const limiter = new Limiter({
    store: new MemoryStore({ nowUs: () => now().getTime() * 1000, mostKeys: 100_000, mostHeld: 10_000 }),
    nowUs: () => now().getTime() * 1000,
    ratedCostOf: (subject, currency) => prices.ratedCostOf(subject, currency),
    warn: log,
  });
  const house: House = {
    ...{ version: '0', folder: folder.path, store, collector, quarantine, retention, now },
    limits: { bodyBytes: limitBytes, uploadBytes: limitBytes },
    bodies: new Bodies(limitBytes, 3 * limitBytes),
    sessions: token === '' ? null : new Sessions(token, now),
    limiter,
    prices,
    drift: new DriftWatch(store.columns, limiter, () => now().getTime() * 1000),
    limitHeaders: ['draft-11'],
    syslog: new SyslogCounts(),
    listeners: { api: '', otlp: '', otlpGrpc: '' },
    reports: new Reports({
      ...{ store, folder: folder.path, settings: nobody, now },
      log: { info: keep, warn: log, error: log },
    }),
    log: { info: keep, warn: log, error: log },
  };
  return {
    house,
    logged,
    output,
    listening: async (test, options = {}) => {
      const ports = {
        api: await freePort(),
        otlp: await freePort(),
        otlpGrpc: await freePort(),
        envoy: await freePort(),
      };
      const real = createApi(house, { pages: '' });
      const opened = {
        apiPort: ports.api,
        otlpPort: ports.otlp,
        otlpGrpcPort: options.grpcPort ?? ports.otlpGrpc,
        envoyPort: ports.envoy,
      };
      const config = { host: '127.0.0.1', ...opened, token: options.token ?? token, localToken: 'local' };
      const stop = await listen(house, options.api?.(real) ?? real, config, options.patience);
      try {
        await test(ports);
      } finally {
        await stop();
      }
    },
    close: async () => {
      await collector.close();
      await store.close();
      folder.remove();
    },
  };
}
