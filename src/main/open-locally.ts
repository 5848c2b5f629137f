import type { Config } from '../cli/index.ts';
import { type Api, createApi } from '../serve/index.ts';
import { logger } from './log.ts';
import { openHouse } from './open-house.ts';

/** Opens the house without listeners, for one command. */
export async function openLocally(config: Config): Promise<{ readonly api: Api; readonly close: () => Promise<void> }> {
  const { house, close } = await openHouse(config, logger('warn'), '');
  return { api: createApi(house, { pages: '' }), close };
}
