import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import type { UsageReportAnswer } from '../serve/contract/usage.ts';
import type { CallsFile } from './calls-file.ts';

const columns = [
  ...(['time', 'tenant', 'endpoint', 'consumer', 'kind'] as const).map((name) => [name, 'text'] as const),
  ...([
    ['status', 'number'],
    ['isError', 'truth'],
    ['durationMs', 'number'],
  ] as const),
  ...(['service', 'region', 'version', 'flags'] as const).map((name) => [name, 'text'] as const),
  ...([
    ['weight', 'number'],
    ['bytesIn', 'number'],
    ['bytesOut', 'number'],
    ['traceId', 'text'],
    ['spanId', 'text'],
  ] as const),
];

const types = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  number: { type: 'DOUBLE' },
  truth: { type: 'BOOLEAN' },
} as const;

/** Calls as a Parquet file: a row group for each page, so that no more than a page is in memory. Null is null, never 0. */
export class ParquetFile implements CallsFile {
  readonly #writer: ParquetWriter;

  constructor(path: string) {
    this.#writer = new ParquetWriter({
      writer: fileWriter(path),
      schema: [
        { name: 'root', num_children: columns.length },
        ...columns.map(([name, type]) => ({ name, repetition_type: 'OPTIONAL' as const, ...types[type] })),
      ],
    });
  }

  async write(rows: UsageReportAnswer['rows']): Promise<void> {
    if (rows.length === 0) return;
    const columnData = columns.map(([name]) => ({ name, data: rows.map((row) => row[name] ?? null) }));
    await this.#writer.write({ columnData });
  }

  async finish(): Promise<void> {
    await this.#writer.finish();
  }
}
