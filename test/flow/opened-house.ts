import { afterAll } from 'vitest';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';
import { House } from './house.ts';

/** Opens a house for the tests of a file, on a folder of its own; both go when the tests are over. */
export async function openedHouse(
  name: string,
  nowMs?: () => number,
): Promise<{ readonly house: House; readonly folder: TempFolder }> {
  const folder = tempFolder(name);
  const house = await House.open(folder.path, nowMs);
  afterAll(async () => {
    await house.close();
    folder.remove();
  });
  return { house, folder };
}
