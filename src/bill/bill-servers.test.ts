import { afterAll, beforeAll, expect, test } from 'vitest';
import { clickhouse, describeWith } from '../../test/support/available.ts';
import { type ClickHouseServer, startClickHouse } from '../../test/support/clickhouse-server.ts';
import { exampleFile, exampleRow } from '../../test/support/example-bill.ts';
import { type PostgresServer, postgresAvailable, startPostgres } from '../../test/support/postgres-server.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { openStore, type Store } from '../store/index.ts';
import { importBill } from './bill.ts';
import { activeImports, chargesInForce, takeImportId } from './queries.ts';

describeWith(postgresAvailable(), 'with PostgreSQL', () => {
  const folder = tempFolder('bill-servers');
  const now = new Date(Date.UTC(2024, 9, 2));
  let server: PostgresServer;
  let store: Store;
  beforeAll(async () => {
    server = await startPostgres();
    store = await openStore({ folder: folder.path, postgresUrl: server.url });
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
    folder.remove();
  });

  function importOne(account: string, amounts: readonly string[]) {
    const rows = amounts.map((BilledCost) => exampleRow({ BillingAccountId: account, BilledCost }));
    const file = exampleFile(folder.path, `${account}-${amounts.join('-')}.csv`, rows);
    return importBill(store, [file], { format: 'auto', replace: false, now });
  }

  async function active(account: string) {
    return (await activeImports(store)).filter((row) => row.account === account);
  }

  test('an import is new, then unchanged, then replaced', async () => {
    const statuses = [];
    for (const amounts of [['1'], ['1'], ['1', '2']]) statuses.push((await importOne('a', amounts)).groups[0]!.status);
    expect(statuses).toEqual(['new', 'unchanged', 'replaced']);
    expect(await active('a')).toMatchObject([{ row_count: 2, billed: '3.000000000000000000' }]);
  });

  test('of several imports of one bill at the same time one counts, the others count wholly after it or fail', async () => {
    const outcomes = await Promise.allSettled(['1', '2', '3', '4'].map((amount) => importOne('race', [amount])));
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(lost.map(({ reason }) => reason.code)).toEqual(lost.map(() => 'BILL_BUSY'));
    expect(await active('race')).toHaveLength(1);
  });

  test('no import id is given twice', async () => {
    const ids = await Promise.all(Array.from({ length: 40 }, () => takeImportId(store.documents, now)));
    expect(new Set(ids).size).toBe(40);
  });
});

describeWith(clickhouse(), 'with a ClickHouse server', () => {
  const folder = tempFolder('bill-servers');
  let server: ClickHouseServer;
  let store: Store;
  beforeAll(async () => {
    server = await startClickHouse();
    store = await openStore({ folder: folder.path, clickhouseUrl: server.httpUrl });
  });
  afterAll(async () => {
    await store.close();
    await server.stop();
    folder.remove();
  });

  test('a replaced bill adds up exactly, rows in force only, and abandoned rows go', async () => {
    const abandoned = "1, 1, 'AWS', 'a', 'USD', '2024-09-01 00:00:00', 5";
    await store.columns.command(
      `INSERT INTO charges (import_id, line, source, account, currency, billing_start, billed) VALUES (${abandoned})`,
    );
    for (const [day, amounts] of [['1'], ['0.000000000000000001', '-2.5']].entries()) {
      const rows = amounts.map((BilledCost) => exampleRow({ BillingAccountId: 'a', BilledCost }));
      const now = new Date(Date.UTC(2024, 9, 2 + day));
      await importBill(store, [exampleFile(folder.path, 'a.csv', rows)], { format: 'auto', replace: false, now });
    }
    const sql = `SELECT toString(sum(billed)) AS billed FROM charges WHERE ${await chargesInForce(store)}`;
    expect(await store.columns.query(sql)).toEqual([{ billed: '-2.499999999999999999' }]);
    const all = () => store.columns.query('SELECT toString(count()) AS rows FROM charges');
    await expect.poll(all).toEqual([{ rows: '3' }]);
  });
});
