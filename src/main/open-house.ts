import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { finerCharges } from '../bill/index.ts';
import { type Config, readSecrets } from '../cli/index.ts';
import { Collector, Quarantine, Retention, readPeriod } from '../collect/index.ts';
import { rawFees } from '../cost/index.ts';
import { Bodies, type House, type Log, type ReportSettings, Reports, Sessions, SyslogCounts } from '../serve/index.ts';
import { type FolderHold, holdFolder, openStore } from '../store/index.ts';
import { refreshRollups } from '../usage/index.ts';
import { openLimits } from './open-limits.ts';
import { version } from './package.ts';

/**
 * Opens the rooms on a data folder, from the left to the right of the house.
 *
 * Takes  url: of the API; empty where nothing listens.
 */
export async function openHouse(
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
    const reports = new Reports({ store, folder, settings: reportSettings(config), now, log });
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
      reports,
      limits: { bodyBytes: config.bodyBytes, uploadBytes: config.uploadBytes },
      listeners: {
        api: url,
        otlp: address(config.host, config.otlpPort),
        otlpGrpc: config.otlpGrpcPort === 0 ? '' : address(config.host, config.otlpGrpcPort),
      },
      log,
    };
    const close = async () => {
      await reports.stop();
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

function reportSettings({ smtpUrl, smtpFrom, webhookSecrets, webhookAllow }: Config): ReportSettings {
  return {
    mail: { url: smtpUrl, from: smtpFrom },
    webhookSecrets: readSecrets(webhookSecrets) ?? new Map(),
    webhookAllow,
  };
}

/** Where something listens. */
export function address(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
