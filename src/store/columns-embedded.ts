import { mkdirSync } from 'node:fs';
import { type ClickHouseClient, type ClickHouseClientConfigOptions, createClient } from '@clickhouse/client';
import { createChdbConnection } from 'chdb/connection';
import { fail } from '../model/index.ts';
import {
  type ColumnStore,
  insertSettings,
  type QueryParams,
  type RowShape,
  readBytes,
  readRows,
  readSettings,
  runCommand,
} from './columns.ts';

/** Queries of one session run one after another, several sessions run side by side. */
const READERS = 3;

/**
 * Opens the embedded engine on a folder.
 *
 * Takes  folder: where its tables live; made when missing.
 * Fails  DATA_IN_USE when another process holds the folder.
 */
export async function openEmbeddedColumns(folder: string): Promise<ColumnStore> {
  mkdirSync(folder, { recursive: true });
  const writer = openSession(folder);
  await runCommand(writer, 'CREATE DATABASE IF NOT EXISTS taximeter', {});
  const readers = Array.from({ length: READERS }, () => openSession(folder));
  for (const session of [writer, ...readers]) await runCommand(session, 'USE taximeter', {});
  return new EmbeddedColumns(writer, readers);
}

function openSession(folder: string): ClickHouseClient {
  try {
    // The two packages carry their own copies of the same connection type.
    const connection = createChdbConnection({ path: folder }) as unknown as ClickHouseClientConfigOptions['connection'];
    return createClient({ connection });
  } catch (cause) {
    throw fail('DATA_IN_USE', { folder }, [], cause);
  }
}

class EmbeddedColumns implements ColumnStore {
  readonly isEmbedded = true;
  readonly #writer: ClickHouseClient;
  readonly #readers: readonly ClickHouseClient[];
  readonly #idle: ClickHouseClient[];
  readonly #waiting: ((session: ClickHouseClient) => void)[] = [];
  #writes: Promise<unknown> = Promise.resolve();

  constructor(writer: ClickHouseClient, readers: readonly ClickHouseClient[]) {
    this.#writer = writer;
    this.#readers = readers;
    this.#idle = [...readers];
  }

  query<Row>(sql: string, params: QueryParams = {}): Promise<Row[]> {
    return this.#withReader((session) => readRows<Row>(session, sql, params));
  }

  queryBytes(sql: string, params: QueryParams = {}): Promise<Buffer> {
    return this.#withReader((session) => readBytes(session, sql, params));
  }

  command(sql: string, params: QueryParams = {}): Promise<void> {
    return this.#write(() => runCommand(this.#writer, sql, params));
  }

  insertFile(table: string, shape: RowShape, path: string): Promise<void> {
    const names = shape.map(([column]) => column).join(', ');
    const types = shape.map(([column, type]) => `${column} ${type}`).join(', ');
    const sql = `INSERT INTO ${table} (${names}) SELECT ${names} FROM file(${quoted(path)}, RowBinary, ${quoted(types)})`;
    return this.#write(async () => {
      await runCommand(this.#writer, sql, {}, insertSettings);
      // Settings stay with the session: put back what other statements expect.
      await runCommand(this.#writer, 'SELECT 1', {}, { ...readSettings, max_threads: 0, max_block_size: 65_409 });
    });
  }

  async close(): Promise<void> {
    await this.#writes;
    for (const session of [this.#writer, ...this.#readers]) await session.close();
  }

  #write<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#writes.then(work);
    this.#writes = turn.catch(() => undefined);
    return turn;
  }

  async #withReader<T>(work: (session: ClickHouseClient) => Promise<T>): Promise<T> {
    const session = this.#idle.pop() ?? (await new Promise<ClickHouseClient>((take) => this.#waiting.push(take)));
    try {
      return await work(session);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(session);
      else this.#idle.push(session);
    }
  }
}

function quoted(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}
