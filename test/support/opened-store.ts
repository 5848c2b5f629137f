import { afterAll } from 'vitest';
import { openStore, type Store } from '../../src/store/index.ts';
import { type TempFolder, tempFolder } from './temp-folder.ts';

/** Opens a store for the tests of a file, on a folder of its own; both go when the tests are over. */
export async function openedStore(name: string): Promise<{ readonly store: Store; readonly folder: TempFolder }> {
  const folder = tempFolder(name);
  const store = await openStore({ folder: folder.path });
  afterAll(async () => {
    await store.close();
    folder.remove();
  });
  return { store, folder };
}
