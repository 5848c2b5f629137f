import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { Kysely, Migrator, PostgresDialect, SqliteDialect } from 'kysely';
import { fail } from '../model/index.ts';
import type { DocumentStore, Tables } from './documents.ts';
import { documentMigrations } from './migrations/documents.ts';

const PG_BIGINT = 20;

/** Opens the embedded document store and brings its tables up to date. */
export async function openSqliteDocuments(file: string): Promise<DocumentStore> {
  mkdirSync(dirname(file), { recursive: true });
  const database = new SqliteDatabase(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('busy_timeout = 5000');
  return migrated(new Kysely<Tables>({ dialect: new SqliteDialect({ database }) }));
}

/** Connects to PostgreSQL and brings its tables up to date. Fails STORE_UNAVAILABLE. */
export async function openPostgresDocuments(url: string): Promise<DocumentStore> {
  // Most houses have no server, and need no driver for one.
  const { default: pg } = await import('pg');
  // Instants are stored as milliseconds in bigint columns; they fit a double, and SQLite gives numbers too.
  pg.types.setTypeParser(PG_BIGINT, Number);
  const pool = new pg.Pool({ connectionString: url, max: 8 });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  return migrated(new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }));
}

async function migrated(db: DocumentStore): Promise<DocumentStore> {
  const { error } = await new Migrator({ db, provider: documentMigrations }).migrateToLatest();
  if (!error) return db;
  await db.destroy();
  const isNewer = error instanceof Error && /corrupted migrations/.test(error.message);
  throw fail(isNewer ? 'DATA_TOO_NEW' : 'STORE_UNAVAILABLE', {}, [], error);
}
