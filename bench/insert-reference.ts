import { openStore } from '../src/store/index.ts';

/**
 * What the engine alone needs to insert the same rows: a table of the same columns, filled from the table of the real run.
 *
 * Gives  CPU seconds per million rows, and how many rows there were.
 */
export async function insertReference(
  folder: string,
): Promise<{ readonly rows: number; readonly cpuPerMillion: number }> {
  const store = await openStore({ folder });
  try {
    const path = `${folder}/reference.rowbinary`;
    const columns = (await store.columns.query<{ name: string; type: string }>('DESCRIBE TABLE work')).map(
      ({ name, type }) => [name, type] as const,
    );
    await store.columns.command(`SELECT * FROM work INTO OUTFILE '${path}' TRUNCATE FORMAT RowBinary`);
    await store.columns.command('CREATE OR REPLACE TABLE work_reference AS work');
    const plain = columns.map(([name, type]) => [name, type.replace(/^LowCardinality\((.*)\)$/, '$1')] as const);
    const start = process.cpuUsage();
    await store.columns.insertFile('work_reference', plain, path);
    const { user, system } = process.cpuUsage(start);
    const [{ rows }] = (await store.columns.query<{ rows: string }>('SELECT count() AS rows FROM work_reference')) as [
      { rows: string },
    ];
    await store.columns.command('DROP TABLE work_reference');
    return { rows: Number(rows), cpuPerMillion: (user + system) / Number(rows) };
  } finally {
    await store.close();
  }
}
