import { Readable } from 'node:stream';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { expect, it, onTestFinished } from 'vitest';
import { clickhouse, describeWith } from './available.ts';
import { freePort } from './child-server.ts';
import { type ClickHouseServer, startClickHouse, startClickHouseCluster } from './clickhouse-server.ts';
import { tempFolder } from './temp-folder.ts';

describeWith(clickhouse(), 'a ClickHouse server for tests', () => {
  it('keeps what was inserted as rows and as a RowBinary stream', async () => {
    const client = clientOf(await started(await startClickHouse()));
    await client.command({ query: 'CREATE TABLE t (id UInt32, name String) ENGINE = MergeTree ORDER BY id' });
    await client.insert({ table: 't', values: [{ id: 1, name: 'one' }], format: 'JSONEachRow' });
    await insertRowBinary(client, [2, 3]);
    expect(await rows(client, 'SELECT id, name FROM t ORDER BY id')).toEqual([
      { id: 1, name: 'one' },
      { id: 2, name: 'n' },
      { id: 3, name: 'n' },
    ]);
  });

  it('comes back with its data, at the same address, after it was killed', async () => {
    const folder = tempFolder('clickhouse');
    onTestFinished(() => folder.remove());
    const address = { folder: folder.path, httpPort: await freePort(), tcpPort: await freePort() };
    const first = await startClickHouse(address);
    const client = clientOf(first);
    await client.command({
      query: 'CREATE TABLE t (id UInt32) ENGINE = MergeTree ORDER BY id SETTINGS fsync_after_insert = 1',
    });
    await client.insert({ table: 't', values: [{ id: 7 }], format: 'JSONEachRow' });
    await first.kill();
    await started(await startClickHouse(address));
    expect(await rows(client, 'SELECT id FROM t')).toEqual([{ id: 7 }]);
  });

  it('is gone after stop', async () => {
    const server = await startClickHouse();
    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
  });

  it('spreads a Distributed table over two shards', async () => {
    const [first, second] = await startClickHouseCluster();
    const clients = [clientOf(await started(first)), clientOf(await started(second))] as const;
    for (const client of clients) {
      await client.command({ query: 'CREATE TABLE part (id UInt64) ENGINE = MergeTree ORDER BY id' });
      await client.command({
        query: 'CREATE TABLE whole AS part ENGINE = Distributed(shards, currentDatabase(), part, id)',
      });
    }
    await clients[0].command({
      query: 'INSERT INTO whole SELECT number FROM numbers(10)',
      clickhouse_settings: { distributed_foreground_insert: 1 },
    });
    const count = 'SELECT toUInt32(count()) AS n FROM';
    expect(await rows(clients[0], `${count} part`)).toEqual([{ n: 5 }]);
    expect(await rows(clients[1], `${count} part`)).toEqual([{ n: 5 }]);
    expect(await rows(clients[1], `${count} whole`)).toEqual([{ n: 10 }]);
  });
});

async function started(server: ClickHouseServer): Promise<ClickHouseServer> {
  onTestFinished(() => server.stop());
  return server;
}

function clientOf(server: ClickHouseServer): ClickHouseClient {
  const client = createClient({ url: server.httpUrl });
  onTestFinished(() => client.close());
  return client;
}

async function insertRowBinary(client: ClickHouseClient, ids: number[]): Promise<void> {
  const encoded = ids.map((id) => Buffer.from([id, 0, 0, 0, 1, 'n'.charCodeAt(0)]));
  const done = await client.exec({ query: 'INSERT INTO t FORMAT RowBinary', values: Readable.from(encoded) });
  // The insert has happened only when the answer has been read to its end.
  for await (const _ of done.stream);
}

async function rows(client: ClickHouseClient, query: string): Promise<unknown[]> {
  return (await client.query({ query, format: 'JSONEachRow' })).json();
}
