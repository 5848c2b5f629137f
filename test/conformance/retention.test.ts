import { afterAll, beforeAll, expect, it } from 'vitest';
import { House } from '../flow/house.ts';
import { inputOf, realCases } from '../flow/real-case.ts';
import { answersOf, Clock, letGoAndDelete, receivedInTwoMonths } from '../flow/retention-world.ts';
import { clickhouse, describeWith } from '../support/available.ts';
import { type ClickHouseServer, startClickHouse } from '../support/clickhouse-server.ts';
import { sharedData } from '../support/data.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder('retention-server');
const tricky = sharedData('tricky');
afterAll(() => folder.remove());

describeWith(clickhouse(), 'a ClickHouse server', () => {
  let server: ClickHouseServer;
  beforeAll(async () => {
    server = await startClickHouse();
  });
  afterAll(() => server?.stop());

  it.skipIf(tricky.reason !== undefined)('no figure changes when raw work is let go', async () => {
    const input = inputOf(realCases[0]!, tricky.found!);
    const clock = new Clock('2031-01-31T20:00:00Z');
    const house = await House.open(folder.path, clock.now, { clickhouseUrl: server.httpUrl });
    try {
      await receivedInTwoMonths(house, clock, input);
      const before = await answersOf(house, input);
      clock.set('2031-04-10T00:00:00Z');
      await letGoAndDelete(house, clock, async () => undefined);
      clock.set('2031-06-01T00:00:00Z');
      await letGoAndDelete(house, clock, async () => undefined);
      expect(await answersOf(house, input)).toEqual(before);
      const [left] = await house.store.columns.query<{ rows: string }>('SELECT count() AS rows FROM work');
      expect(left).toEqual({ rows: '0' });
    } finally {
      await house.close();
    }
  });
});
