import { expect, it } from 'vitest';
import { columnMigrations } from '../../src/store/migrations/columns.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { inHouse } from './empty-house.ts';
import { callRequest } from './small-input.ts';

it('minutes that a migration counts anew are those that batches counted', async () => {
  const folder = tempFolder('recount');
  await inHouse(folder.path, async ({ store, collector }) => {
    const calls = Array.from({ length: 20 }, (_, id) =>
      callRequest({ id: id + 1, tenant: `t${id % 3}`, atMs: id * 20_000, traceState: id % 2 === 0 ? 'ot=th:8' : '' }),
    );
    for (const call of calls) await collector.traces(Buffer.from(call), 'json');
    await collector.settle();
    const minutes = () =>
      store.columns.query('SELECT * FROM usage_minute FINAL ORDER BY ALL SETTINGS optimize_move_to_prewhere = 0');
    const counted = await minutes();
    expect(counted).toHaveLength(1 + new Set(calls.map((_, id) => `${id % 3} ${Math.floor((id * 20) / 60)}`)).size);
    const { statements } = columnMigrations.find(({ id }) => id === '0010-usage-dimensions')!;
    for (const statement of statements) await store.columns.command(statement);
    expect(await minutes()).toEqual(counted);
  });
  folder.remove();
});
