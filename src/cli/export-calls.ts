import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { fail } from '../model/index.ts';
import type { UsageReportAnswer } from '../serve/contract/usage.ts';
import type { CallsFile } from './calls-file.ts';
import type { Cli } from './context.ts';
import { printRows } from './print.ts';

export const exportFormats = ['csv', 'jsonl', 'parquet'] as const;
type ExportFormat = (typeof exportFormats)[number];

const PAGE = 5_000;

/**
 * Writes every call of a choice into a file, page by page, with progress. The file has its name only when it is whole.
 *
 * Fails  FORMAT_UNKNOWN, FILE_UNREADABLE where the file cannot be written.
 */
export async function exportCalls(cli: Cli, query: URLSearchParams, file: string, format?: string): Promise<void> {
  const kind = formatOf(file, format);
  const unfinished = `${file}.part`;
  const target = await openFile(unfinished, kind);
  let [written, total, cursor] = [0, null as number | null, ''];
  try {
    for (let page: string | null = ''; page !== null; ) {
      const asked = new URLSearchParams({ ...Object.fromEntries(query), limit: String(PAGE), cursor });
      const answer = await cli.ask<UsageReportAnswer>('GET', `/api/v1/usage/calls?${asked}`);
      await target.write(answer.rows);
      written += answer.rows.length;
      total ??= answer.calls ?? null;
      cli.warn(`taximeter: ${written}${total === null ? '' : ` of ${total}`} calls written`);
      page = answer.next;
      cursor = answer.next ?? '';
    }
    await target.finish();
    await rename(unfinished, file);
  } catch (cause) {
    await rm(unfinished, { force: true });
    throw cause;
  }
  cli.print(`${file}: ${written} calls`);
}

function formatOf(file: string, asked: string | undefined): ExportFormat {
  const named = asked ?? file.slice(file.lastIndexOf('.') + 1).toLowerCase();
  const format = exportFormats.find((each) => each === named);
  if (format === undefined)
    throw fail('FORMAT_UNKNOWN', { format: named.slice(0, 40), known: exportFormats.join(', ') });
  return format;
}

async function openFile(path: string, format: ExportFormat): Promise<CallsFile> {
  try {
    const file = await open(path, 'w');
    if (format === 'parquet') {
      await file.close();
      const { ParquetFile } = await import('./parquet-file.ts');
      return new ParquetFile(path);
    }
    return new TextFile(file, format);
  } catch (cause) {
    throw fail('FILE_UNREADABLE', { file: path, reason: (cause as NodeJS.ErrnoException).code }, [], cause);
  }
}

class TextFile implements CallsFile {
  readonly #file: FileHandle;
  readonly #format: 'csv' | 'jsonl';
  #hasHead = false;

  constructor(file: FileHandle, format: 'csv' | 'jsonl') {
    this.#file = file;
    this.#format = format;
  }

  async write(rows: UsageReportAnswer['rows']): Promise<void> {
    if (rows.length === 0) return;
    if (this.#format === 'jsonl') return this.#file.appendFile(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const heads = Object.keys(rows[0]!);
    const columns = heads.map((head) => ({ head, value: (row: Readonly<Record<string, unknown>>) => cell(row[head]) }));
    const text = printRows('csv', columns, rows);
    await this.#file.appendFile(`${this.#hasHead ? text.slice(text.indexOf('\r\n') + 2) : text}\r\n`);
    this.#hasHead = true;
  }

  async finish(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
  }
}

function cell(value: unknown): string | number | null {
  return value === null || typeof value === 'number' ? (value ?? null) : String(value);
}
