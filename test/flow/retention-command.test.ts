import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../src/serve/index.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { SERVER, span } from './retention-world.ts';

let now = new Date();
let house: ListeningHouse;
beforeAll(async () => {
  house = await openListeningHouse(1 << 20, '', () => now);
});
afterAll(() => house.close());

const asked = async (method: string, path: string) => {
  const api = createApi(house.house, { pages: '' });
  return (await (await api(new Request(`http://localhost${path}`, { method }))).json()) as object;
};

test('retention says what is kept and what would go, and a run lets it go', async () => {
  const { collector } = house.house;
  await collector.traces(Buffer.from(span(1, 0, SERVER, 0, 100)), 'json');
  await collector.settle();
  const [spans] = ((await asked('GET', '/api/v1/retention')) as { kept: object[] }).kept;
  expect(spans).toMatchObject({ kind: 'spans', days: 62, rows: 1, wouldGoUntil: null, wouldGoRows: 0 });
  expect(await asked('POST', '/api/v1/retention/run')).toEqual({ letGo: [] });

  now = new Date(Date.now() + 120 * 86_400_000);
  const due = ((await asked('GET', '/api/v1/retention')) as { kept: { wouldGoUntil: string; wouldGoRows: number }[] })
    .kept[0]!;
  expect(due.wouldGoRows).toBe(1);
  expect(await asked('POST', '/api/v1/retention/run')).toEqual({
    letGo: [{ kind: 'spans', keptSince: due.wouldGoUntil, rows: 1, keptBecause: '' }],
  });
  expect(await asked('POST', '/api/v1/retention/run')).toEqual({ letGo: [] });
});
