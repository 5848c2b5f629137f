import { type Kysely, type Migration, type MigrationProvider, sql } from 'kysely';

/** The tables of the document store, forward only, in one text for SQLite and PostgreSQL. */
const migrations: Record<string, Migration> = {
  '0001-documents': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('document')
        .addColumn('id', idType(db), (c) => (isSqlite(db) ? c.primaryKey().autoIncrement() : c.primaryKey()))
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('version', 'integer', (c) => c.notNull())
        .addColumn('effective_from', 'text', (c) => c.notNull())
        .addColumn('body', 'text', (c) => c.notNull())
        .addColumn('fingerprint', 'text', (c) => c.notNull())
        .addColumn('applied_at', 'text', (c) => c.notNull())
        .addColumn('applied_by', 'text', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addUniqueConstraint('document_version', ['kind', 'name', 'version'])
        .execute();
      await db.schema
        .createTable('bill_import')
        .addColumn('id', idType(db), (c) => (isSqlite(db) ? c.primaryKey().autoIncrement() : c.primaryKey()))
        .addColumn('import_id', 'text', (c) => c.notNull())
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('account', 'text', (c) => c.notNull())
        .addColumn('currency', 'text', (c) => c.notNull())
        .addColumn('billing_start', 'bigint', (c) => c.notNull())
        .addColumn('billing_end', 'bigint', (c) => c.notNull())
        .addColumn('row_count', 'integer', (c) => c.notNull())
        .addColumn('billed', 'text', (c) => c.notNull())
        .addColumn('effective', 'text', (c) => c.notNull())
        .addColumn('fingerprint', 'text', (c) => c.notNull())
        .addColumn('files', 'text', (c) => c.notNull())
        .addColumn('imported_at', 'text', (c) => c.notNull())
        .addColumn('replaced_at', 'text')
        .execute();
      await db.schema
        .createTable('period')
        .addColumn('id', idType(db), (c) => (isSqlite(db) ? c.primaryKey().autoIncrement() : c.primaryKey()))
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('account', 'text', (c) => c.notNull())
        .addColumn('currency', 'text', (c) => c.notNull())
        .addColumn('billing_start', 'bigint', (c) => c.notNull())
        .addColumn('billing_end', 'bigint', (c) => c.notNull())
        .addColumn('closed_at', 'text', (c) => c.notNull())
        .addColumn('closed_by', 'text', (c) => c.notNull())
        .addColumn('charges', 'text', (c) => c.notNull())
        .addColumn('fingerprint', 'text', (c) => c.notNull())
        .addUniqueConstraint('period_once', ['source', 'account', 'currency', 'billing_start'])
        .execute();
      await db.schema
        .createTable('fact')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('value', 'text', (c) => c.notNull())
        .execute();
    },
  },
  '0002-quarantine': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('quarantine')
        .addColumn('id', idType(db), (c) => (isSqlite(db) ? c.primaryKey().autoIncrement() : c.primaryKey()))
        .addColumn('log', 'text', (c) => c.notNull())
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('service', 'text', (c) => c.notNull())
        .addColumn('host', 'text', (c) => c.notNull())
        .addColumn('fingerprint', 'text', (c) => c.notNull())
        .addColumn('tenant_from', 'text', (c) => c.notNull())
        .addColumn('format', 'text', (c) => c.notNull())
        .addColumn('line', 'bigint', (c) => c.notNull())
        .addColumn('byte_offset', 'bigint', (c) => c.notNull())
        .addColumn('byte_length', 'bigint', (c) => c.notNull())
        .addColumn('reason', 'text', (c) => c.notNull())
        .addColumn('refused_at', 'text', (c) => c.notNull())
        .addColumn('line_text', 'text')
        .execute();
      await db.schema.createIndex('quarantine_place').on('quarantine').columns(['log', 'byte_offset']).execute();
    },
  },
  '0003-subject': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('subject')
        .addColumn('key', 'text', (c) => c.primaryKey())
        .addColumn('display_name', 'text')
        .addColumn('metadata', 'text', (c) => c.notNull())
        .addColumn('changed_at', 'text', (c) => c.notNull())
        .execute();
    },
  },
  '0006-bill-report': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('bill_report')
        .addColumn('import_id', 'text', (c) => c.primaryKey())
        .addColumn('format', 'text', (c) => c.notNull())
        .addColumn('report', 'text', (c) => c.notNull())
        .execute();
    },
  },
  '0007-seals': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .alterTable('period')
        .addColumn('seal', 'text', (c) => c.notNull().defaultTo(''))
        .execute();
      await db.schema
        .alterTable('period')
        .addColumn('seal_place', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
    },
  },
  '0040-report-delivery': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('report_delivery')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('schedule', 'text', (c) => c.notNull())
        .addColumn('period_start', 'text', (c) => c.notNull())
        .addColumn('period_end', 'text', (c) => c.notNull())
        .addColumn('target', 'text', (c) => c.notNull())
        .addColumn('shown', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('attempts', 'integer', (c) => c.notNull())
        .addColumn('made_at', 'text', (c) => c.notNull())
        .addColumn('next_at', 'text', (c) => c.notNull())
        .addColumn('sent_at', 'text')
        .addColumn('error', 'text', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('report_delivery_next').on('report_delivery').columns(['state', 'next_at']).execute();
    },
  },
};

function isSqlite(db: Kysely<unknown>): boolean {
  return db.getExecutor().adapter.constructor.name.startsWith('Sqlite');
}

function idType(db: Kysely<unknown>) {
  return isSqlite(db) ? ('integer' as const) : sql`bigint GENERATED ALWAYS AS IDENTITY`;
}

export const documentMigrations: MigrationProvider = {
  getMigrations: async () => migrations,
};
