import { afterAll } from 'vitest';
import { openStore, type Store } from '../../src/store/index.ts';
import { sameColumns } from '../support/same-columns.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { House } from './house.ts';

const folder = tempFolder('empty-houses');
let engines: Promise<Store> | null = null;
afterAll(async () => {
  await (await engines)?.close();
  folder.remove();
});

/**
 * Opens a house with nothing in it. All such houses of a test file stand on the same engines, one after the other: to start
 * these and to make their tables takes longer than most tests do.
 */
export async function emptyHouse(path: string, nowMs: () => number = Date.now): Promise<House> {
  engines ??= openStore({ folder: folder.path });
  const store = await engines;
  await empty(store);
  return House.on(asAnother(store), path, nowMs);
}

/** Runs a test in a house with nothing in it. */
export async function inHouse(path: string, test: (house: House) => Promise<void>): Promise<void> {
  const house = await emptyHouse(path);
  try {
    await test(house);
  } finally {
    await house.close();
  }
}

async function empty({ columns, documents }: Store): Promise<void> {
  const filled = await columns.query<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name != 'migration' AND total_rows > 0",
  );
  for (const { name } of filled) await columns.command(`TRUNCATE TABLE ${name}`);
  for (const { name } of await documents.introspection.getTables())
    await documents.deleteFrom(name as 'document').execute();
}

/** What rooms know of a store they know by the object: of the next house they must know nothing. Its engines stay open. */
function asAnother(store: Store): Store {
  const close = async () => undefined;
  return { ...store, columns: { ...sameColumns(store.columns), close }, close };
}
