import { expect, test } from 'vitest';
import { RowWriter, Texts } from '../store/index.ts';
import { readTotals } from './work-totals.ts';

test('reads rows into columns, and numbers their texts', () => {
  const writer = new RowWriter(16);
  const rows: [string, string, string, bigint, bigint][] = [
    ['acme', '/a', 'api', 1n, 2n ** 100n],
    ['acme', '/é', '', -1n, 0n],
    ['', '', 'api', 3n, 4n],
  ];
  for (const [tenant, endpoint, service, calls, spans] of rows) {
    for (const text of [tenant, endpoint, service]) writer.text(text);
    writer.i128(calls);
    writer.i128(spans);
  }
  const texts = new Texts();
  texts.idOfString('api');
  const work = readTotals(Buffer.from(writer.bytes()), ['calls', 'spans'], texts);
  const read = rows.map((_, row) => [
    ...[work.tenants, work.endpoints, work.services].map((ids) => texts.string(ids[row]!)),
    ...[work.totals.get('calls'), work.totals.get('spans')].map((column) => column!.get(row)),
  ]);
  expect(read).toEqual(rows);
  expect(work.services[0]).toBe(1);
});
