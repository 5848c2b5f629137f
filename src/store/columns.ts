import type { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import { fail } from '../model/index.ts';
import type { Block } from './block.ts';

export type QueryParams = Record<string, unknown>;

/** Column names and ClickHouse types of a RowBinary file, in file order. */
export type RowShape = readonly (readonly [column: string, type: string])[];

/** The columns of a file of blocks in the Native format, which names their types itself. */
export interface BlockShape {
  readonly columns: readonly string[];
}

/**
 * The analytic engine, embedded or a server: the same SQL text and the same answers on both.
 * Numbers of 64 bits and more, and decimals, come back as strings; whoever calculates with them makes bigints.
 */
export interface ColumnStore {
  readonly isEmbedded: boolean;
  /** Runs a SELECT; gives its rows as objects. Fails STORE_QUERY, STORE_UNAVAILABLE. */
  query<Row>(sql: string, params?: QueryParams): Promise<Row[]>;
  /** Runs a SELECT; gives its rows as RowBinary bytes, for results too large for objects. */
  queryBytes(sql: string, params?: QueryParams): Promise<Buffer>;
  /** Runs a statement that gives no rows. Takes  token: names an insert, so that a late repeat of it changes nothing. */
  command(sql: string, params?: QueryParams, token?: string): Promise<void>;
  /** Inserts a block: all of its rows become visible and durable, or none. Takes  token: as for `command`. */
  insertBlock(table: string, block: Block, token: string): Promise<void>;
  /** Inserts a file as one block: all of its rows become visible and durable, or none. Takes  shape: of RowBinary, or the columns of blocks that stand one behind the other. */
  insertFile(table: string, shape: RowShape | BlockShape, path: string): Promise<void>;
  close(): Promise<void>;
}

/** Decimals and 64-bit numbers would lose digits as JSON numbers. */
export const readSettings = {
  output_format_json_quote_64bit_integers: 1,
  output_format_json_quote_decimals: 1,
  output_format_json_quote_denormals: 0,
  max_query_size: '16777216',
  max_ast_elements: '1000000',
  max_expanded_ast_elements: '1000000',
} as const;

/** One file, one block: exactly-once loading depends on an insert being a single part. */
export const insertSettings = {
  max_insert_threads: '1',
  max_insert_block_size: '1000000000',
  min_insert_block_size_rows: '1000000000',
  min_insert_block_size_bytes: '0',
  max_block_size: '1000000',
  input_format_parallel_parsing: 0,
  max_threads: 1,
  // What is inserted as a block was added up before; where rows have the same key, whoever reads them puts them together.
  optimize_on_insert: 0,
} as const;

/** Turns the client's error into ours. What the server said stays in the cause, never in an answer. */
function storeFailure(cause: unknown): Error {
  if (isEngineError(cause)) {
    const diskFull = cause.code === '243' || cause.type === 'NOT_ENOUGH_SPACE' || /No space left/.test(cause.message);
    const code = diskFull ? 'DISK_FULL' : 'STORE_QUERY';
    return fail(code, { error: cause.type ?? cause.code }, [], cause);
  }
  return fail('STORE_UNAVAILABLE', {}, [], cause);
}

/** The embedded connection and the client each bring their own error class; the shape is the same. */
function isEngineError(cause: unknown): cause is Error & { code: string; type?: string } {
  return cause instanceof Error && /^\d+$/.test(String((cause as { code?: unknown }).code));
}

export async function readRows<Row>(client: ClickHouseClient, sql: string, params: QueryParams): Promise<Row[]> {
  try {
    const result = await client.query({
      query: sql,
      query_params: params,
      format: 'JSONEachRow',
      clickhouse_settings: readSettings,
    });
    return await result.json<Row>();
  } catch (cause) {
    throw storeFailure(cause);
  }
}

export async function readBytes(client: ClickHouseClient, sql: string, params: QueryParams): Promise<Buffer> {
  try {
    const query = `${sql} FORMAT RowBinary`;
    const result = await client.exec({ query, query_params: params, clickhouse_settings: readSettings });
    const chunks: Buffer[] = [];
    for await (const chunk of result.stream) chunks.push(chunk as Buffer);
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
  } catch (cause) {
    throw storeFailure(cause);
  }
}

export async function runCommand(
  client: ClickHouseClient,
  sql: string,
  params: QueryParams,
  settings: Record<string, string | number> = readSettings,
): Promise<void> {
  try {
    await client.command({ query: sql, query_params: params, clickhouse_settings: settings });
  } catch (cause) {
    throw storeFailure(cause);
  }
}

/** What an insert is told so that the server knows a repeat of it, for as long as it remembers. */
export function tokenSettings(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { insert_deduplication_token: token };
}

export async function streamInsert(
  client: ClickHouseClient,
  sql: string,
  body: Readable,
  token?: string,
): Promise<void> {
  try {
    const result = await client.exec({
      query: sql,
      values: body,
      clickhouse_settings: { ...insertSettings, async_insert: 0, ...tokenSettings(token) },
    });
    // The insert has happened only when the answer has been read to its end.
    for await (const _ of result.stream);
  } catch (cause) {
    throw storeFailure(cause);
  }
}
