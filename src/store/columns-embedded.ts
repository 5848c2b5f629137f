import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClickHouseClient, type ClickHouseClientConfigOptions, createClient } from '@clickhouse/client';
import { createChdbConnection } from 'chdb/connection';
import { fail } from '../model/index.ts';
import type { Block } from './block.ts';
import {
  type BlockShape,
  type ColumnStore,
  insertSettings,
  type QueryParams,
  type RowShape,
  readBytes,
  readRows,
  readSettings,
  runCommand,
} from './columns.ts';
import { writePieces } from './write-pieces.ts';

/** Queries of one session run one after another, several sessions run side by side. */
const READERS = 3;

/**
 * Opens the embedded engine on a folder.
 *
 * Takes  folder: where its tables live; made when missing. scratch: for files on their way into it.
 * Fails  DATA_IN_USE when another process holds the folder.
 */
export async function openEmbeddedColumns(folder: string, scratch: string): Promise<ColumnStore> {
  mkdirSync(folder, { recursive: true });
  const writer = openSession(folder);
  await runCommand(writer, 'CREATE DATABASE IF NOT EXISTS taximeter', {});
  const readers = Array.from({ length: READERS }, () => openSession(folder));
  for (const session of [writer, ...readers]) await runCommand(session, 'USE taximeter', {});
  return new EmbeddedColumns(writer, readers, scratch);
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
  readonly #scratch: string;
  readonly #waiting: ((session: ClickHouseClient) => void)[] = [];
  #writes: Promise<unknown> = Promise.resolve();

  constructor(writer: ClickHouseClient, readers: readonly ClickHouseClient[], scratch: string) {
    this.#scratch = scratch;
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

  /** The engine reads a file quicker than anything it can be handed. Nobody else writes here, so no token is needed. */
  async insertBlock(table: string, block: Block): Promise<void> {
    await mkdir(this.#scratch, { recursive: true });
    const path = join(this.#scratch, `${table}-${randomUUID()}.native`);
    try {
      await writePieces(path, block.pieces(), 'wx');
      await this.#insert(table, block.columns, `file(${quoted(path)}, Native)`);
    } finally {
      await rm(path, { force: true });
    }
  }

  insertFile(table: string, shape: RowShape | BlockShape, path: string): Promise<void> {
    if ('columns' in shape) return this.#insert(table, shape.columns, `file(${quoted(path)}, Native)`);
    const types = shape.map(([column, type]) => `${column} ${type}`).join(', ');
    const names = shape.map(([column]) => column);
    return this.#insert(table, names, `file(${quoted(path)}, RowBinary, ${quoted(types)})`);
  }

  #insert(table: string, columns: readonly string[], source: string): Promise<void> {
    const names = columns.join(', ');
    return this.#write(async () => {
      try {
        await runCommand(
          this.#writer,
          `INSERT INTO ${table} (${names}) SELECT ${names} FROM ${source}`,
          {},
          insertSettings,
        );
      } finally {
        // Settings stay with the session: put back what other statements expect.
        await runCommand(
          this.#writer,
          'SELECT 1',
          {},
          { ...readSettings, max_threads: 0, max_block_size: 65_409, optimize_on_insert: 1 },
        );
      }
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
