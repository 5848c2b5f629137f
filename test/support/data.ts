import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Available, available } from './available.ts';

/** The folder of this repository. */
export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** Real data lies beside the repository, because most of it is too large to keep inside. */
const dataFolder = join(repository, '..', 'shared', 'data');

/**
 * Locates real data: `sharedData('boutique')`, `sharedData('boutique/model.yaml')`.
 *
 * Takes  path: relative to the data folder.
 * Gives  the full path, or the reason why a test that needs it is skipped.
 * Fails  in CI, when it is absent.
 */
export function sharedData(path: string): Available<string> {
  const full = join(dataFolder, path);
  return available(existsSync(full) ? full : undefined, `no ../shared/data/${path} beside the repository`);
}
