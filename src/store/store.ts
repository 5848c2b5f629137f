import { join, resolve } from 'node:path';
import { fail } from '../model/index.ts';
import type { ColumnStore } from './columns.ts';
import type { DocumentStore } from './documents.ts';
import { columnMigrations, durableSettings } from './migrations/columns.ts';

export interface StoreConfig {
  /** The data folder; engines that are not given a URL live inside it. */
  readonly folder: string;
  readonly clickhouseUrl?: string | undefined;
  readonly postgresUrl?: string | undefined;
}

/** The engines that the rooms share. */
export interface Store {
  readonly columns: ColumnStore;
  readonly documents: DocumentStore;
  /** A folder for files on their way into an engine. */
  readonly scratch: string;
  close(): Promise<void>;
}

/**
 * Opens the engines and brings their tables up to date.
 *
 * Fails  DATA_IN_USE, DATA_TOO_NEW, STORE_UNAVAILABLE.
 */
export async function openStore(config: StoreConfig): Promise<Store> {
  const documents = await openDocuments(config);
  const columns = await openColumns(config).catch(async (cause: unknown) => {
    await documents.destroy();
    throw cause;
  });
  return {
    columns,
    documents,
    scratch: resolve(config.folder, 'scratch'),
    close: async () => {
      await columns.close();
      await documents.destroy();
    },
  };
}

// The libraries of an engine are loaded with it: they are large, and a house has one of two.

async function openDocuments({ folder, postgresUrl }: StoreConfig): Promise<DocumentStore> {
  const { openPostgresDocuments, openSqliteDocuments } = await import('./documents-open.ts');
  return postgresUrl ? openPostgresDocuments(postgresUrl) : openSqliteDocuments(join(folder, 'documents.sqlite'));
}

async function openEngine({ folder, clickhouseUrl }: StoreConfig): Promise<ColumnStore> {
  if (clickhouseUrl) return (await import('./columns-server.ts')).openServerColumns(clickhouseUrl);
  const { openEmbeddedColumns } = await import('./columns-embedded.ts');
  return openEmbeddedColumns(join(folder, 'columns'), resolve(folder, 'scratch'));
}

/** An engine that cannot be used is closed again: the embedded one would hold its folder for as long as the process lives. */
async function openColumns(config: StoreConfig): Promise<ColumnStore> {
  const columns = await openEngine(config);
  try {
    await migrateColumns(columns);
    return columns;
  } catch (cause) {
    await columns.close();
    throw cause;
  }
}

async function migrateColumns(columns: ColumnStore): Promise<void> {
  await columns.command(
    `CREATE TABLE IF NOT EXISTS migration (id String, done_at DateTime DEFAULT now()) ENGINE = MergeTree ORDER BY id SETTINGS ${durableSettings}`,
  );
  const done = new Set((await columns.query<{ id: string }>('SELECT DISTINCT id FROM migration')).map((row) => row.id));
  const known = new Set(columnMigrations.map((migration) => migration.id));
  const newer = [...done].filter((id) => !known.has(id));
  if (newer.length > 0) throw fail('DATA_TOO_NEW', { migrations: newer.join(', ') });
  for (const { id, statements } of columnMigrations) {
    if (done.has(id)) continue;
    for (const statement of statements) await columns.command(filled(statement, columns.isEmbedded));
    await columns.command('INSERT INTO migration (id) VALUES ({id:String})', { id });
  }
}

/** A server is told to remember inserts by their tokens; the embedded engine has nobody who could repeat one late. */
function filled(statement: string, isEmbedded: boolean): string {
  return statement.replace('{durable}', durableSettings).replace('{remembered}', isEmbedded ? '0' : '10000');
}
