import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { DirtCounts } from '../../src/bill/dirt.ts';
import { formatOf, providerOf } from '../../src/bill/formats/formats.ts';
import { type TranslatedRow, translated } from '../../src/bill/formats/translation.ts';
import { containerOf, openTable } from '../../src/bill/read-table.ts';
import { tempFolder } from './temp-folder.ts';

const folder = tempFolder('formats');
afterAll(() => folder.remove());

/** Texts by column. */
export type Row = Readonly<Record<string, string>>;

export interface Translated {
  readonly format: string | null;
  readonly rows: readonly Row[];
  readonly problems: readonly string[];
  readonly dirt: DirtCounts;
  readonly notes: readonly string[];
}

/** What the rules of a provider make of a file, as texts; empty ones left out. */
export async function translatedFile(
  name: string,
  bytes: string | Uint8Array,
  files: readonly string[] = [name],
): Promise<Translated> {
  const file = { name, path: join(folder.path, name.replaceAll('/', '-')) };
  writeFileSync(file.path, bytes);
  const table = await openTable(file, await containerOf(file));
  const format = formatOf(table);
  const dirt: DirtCounts = {};
  const notes = new Set<string>();
  const facts = { file: name, files, dirt, note: (text: string) => void notes.add(text) };
  const { columns, batches } = translated(table, providerOf(format!)!, facts);
  const rows: Row[] = [];
  const problems: string[] = [];
  for await (const batch of batches as AsyncIterable<Iterable<TranslatedRow>>) {
    for (const row of batch) {
      problems.push(...(row.problems ?? []));
      const texts = row.cells.map((cell, place) => [columns[place]!.name, String(cell)] as const);
      if (!row.problems) rows.push(Object.fromEntries(texts.filter(([, text]) => text !== '')));
    }
  }
  return { format, rows, problems, dirt, notes: [...notes] };
}

/** An amount with all of its decimals. */
export const money = (text: string) =>
  `${text.includes('.') ? text : `${text}.`}`.padEnd(text.split('.')[0]!.length + 19, '0');
