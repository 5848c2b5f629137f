import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Config } from '../cli/index.ts';
import { createApi, type House, listen, listenSyslog } from '../serve/index.ts';
import { startBackground } from './background.ts';
import { logger } from './log.ts';
import { address, openHouse } from './open-house.ts';
import { pages } from './package.ts';

/** Opens the house and its listeners, and starts what runs by itself. */
export async function serve(config: Config): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
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
    const stopBackground = startBackground(house, config);
    log.info('ready', { url, ...house.listeners, folder: house.folder });
    const stop = async () => {
      log.info('stopping');
      await stopBackground();
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

async function openSyslog(house: House, config: Config): Promise<() => Promise<void>> {
  if (config.syslogPort === undefined) return async () => undefined;
  const { host, syslogPort: port, syslogAllow: allow, syslogFormat: format, syslogTenantFrom: tenantFrom } = config;
  const listeners = await listenSyslog(house, { host, port, allow, format, tenantFrom });
  house.log.info('syslog', { host, port: listeners.port });
  return listeners.stop;
}
