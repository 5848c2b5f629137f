import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Block } from './block.ts';
import {
  type BlockShape,
  type ColumnStore,
  type QueryParams,
  type RowShape,
  readBytes,
  readRows,
  readSettings,
  runCommand,
  streamInsert,
  tokenSettings,
} from './columns.ts';

// A client that gives up on an insert that the server finishes would not know that its rows are there.
const INSERT_WITHIN_MS = 600_000;

/** What fails is told once, by whoever asked, and without what was asked. */
const log = { level: ClickHouseLogLevel.OFF };

/**
 * Connects to a ClickHouse server.
 *
 * Takes  url: http(s)://user:password@host:8123; its path may name the database, otherwise `taximeter`.
 * Fails  STORE_UNAVAILABLE when it does not answer.
 */
export async function openServerColumns(url: string): Promise<ColumnStore> {
  const address = new URL(url);
  const database = address.pathname.slice(1) || 'taximeter';
  address.pathname = '/';
  const first = createClient({ url: address, log });
  await runCommand(first, `CREATE DATABASE IF NOT EXISTS ${identifier(database)}`, {});
  await first.close();
  return new ServerColumns(
    createClient({ url: address, database, max_open_connections: 16, request_timeout: INSERT_WITHIN_MS, log }),
  );
}

function identifier(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``;
}

class ServerColumns implements ColumnStore {
  readonly isEmbedded = false;
  readonly #client: ClickHouseClient;

  constructor(client: ClickHouseClient) {
    this.#client = client;
  }

  query<Row>(sql: string, params: QueryParams = {}): Promise<Row[]> {
    return readRows<Row>(this.#client, sql, params);
  }

  queryBytes(sql: string, params: QueryParams = {}): Promise<Buffer> {
    return readBytes(this.#client, sql, params);
  }

  command(sql: string, params: QueryParams = {}, token?: string): Promise<void> {
    return runCommand(this.#client, sql, params, { ...readSettings, ...tokenSettings(token) });
  }

  insertBlock(table: string, block: Block, token: string): Promise<void> {
    const sql = `INSERT INTO ${table} (${block.columns.join(', ')}) FORMAT Native`;
    return streamInsert(this.#client, sql, Readable.from(block.pieces()), token);
  }

  insertFile(table: string, shape: RowShape | BlockShape, path: string): Promise<void> {
    const [names, format] = 'columns' in shape ? [shape.columns, 'Native'] : [shape.map(([name]) => name), 'RowBinary'];
    const sql = `INSERT INTO ${table} (${names.join(', ')}) FORMAT ${format}`;
    return streamInsert(this.#client, sql, createReadStream(path));
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
