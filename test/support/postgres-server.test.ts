import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { describeWith } from './available.ts';
import { postgresAvailable, startPostgres } from './postgres-server.ts';

describeWith(postgresAvailable(), 'a PostgreSQL server for tests', () => {
  it('answers over TCP and over its socket, and is gone after stop', async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    for (const host of ['127.0.0.1', server.socketFolder]) {
      const client = new pg.Client({ host, port: server.port, user: 'taximeter', database: 'postgres' });
      await client.connect();
      await client.query('CREATE TEMPORARY TABLE t (amount numeric(38, 18))');
      await client.query("INSERT INTO t VALUES ('0.000000000000000001')");
      expect((await client.query('SELECT amount FROM t')).rows).toEqual([{ amount: '0.000000000000000001' }]);
      await client.end();
    }
    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
  });
});
