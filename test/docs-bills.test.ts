import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { billFormats, checkRules, currencyRatesSpec, dirtKinds, plainColumns } from '../src/bill/index.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/reference/bill-formats.md'), 'utf8');
const documents = readFileSync(join(import.meta.dirname, '../docs/reference/documents.md'), 'utf8');

/** The rows of the table below a heading whose first cell is code. */
function rowsBelow(text: string, heading: string): string[][] {
  const after = text.slice(text.indexOf(`\n## ${heading}\n`) + heading.length + 4);
  const end = after.search(/^## /m);
  const lines = (end < 0 ? after : after.slice(0, end)).split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')),
  );
}

describe('bill formats', () => {
  test('the page has every format, and a section of each', () => {
    expect(rowsBelow(page, 'Formats').map(([name]) => name)).toEqual([...billFormats]);
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, name]) => name);
    for (const format of billFormats) expect(headings.some((name) => name!.split(' ').includes(format))).toBe(true);
  });

  test('the page has every column of the plain table, and no other', () => {
    const known = Object.entries(plainColumns).map(([name, words]) => [name, words.replaceAll('`', '')]);
    expect(rowsBelow(page, 'csv')).toEqual(known);
  });

  test('the page has every rule that an export is held against', () => {
    expect(rowsBelow(page, 'Checks')).toEqual(
      Object.entries(checkRules).map(([rule, [severity, words]]) => [rule, severity, words]),
    );
  });

  test('the page has everything that is put right', () => {
    const known = Object.entries(dirtKinds).map(([kind, words]) => [kind, words.replaceAll('|', '\\|')]);
    expect(rowsBelow(page, 'Put right')).toEqual(known);
  });

  test('the page of documents has every field of CurrencyRates, and no other', () => {
    const { properties } = z.toJSONSchema(currencyRatesSpec, { io: 'input' }) as { properties: object };
    expect(rowsBelow(documents, 'CurrencyRates').map(([name]) => name)).toEqual(Object.keys(properties));
  });
});
