import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  simulateBill,
  simulateMetrics,
  simulateTraces,
  simulation,
  simulationDocuments,
} from '../../src/advise/index.ts';
import { clickhouse, describeWith, postgres } from '../support/available.ts';
import { type ClickHouseServer, startClickHouse } from '../support/clickhouse-server.ts';
import { sharedData } from '../support/data.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { type JobInput, wholeJob } from './whole-job.ts';

const folder = tempFolder('engines');
const inputs: Record<string, JobInput> = { simulation: simulated() };
const tricky = sharedData('tricky');
if (tricky.found !== undefined) inputs.tricky = trickyInput(tricky.found);

const expected = new Map<string, Promise<Record<string, unknown>>>();
/** What the embedded engines answer, worked out once for each input. */
function embedded(name: string): Promise<Record<string, unknown>> {
  const known = expected.get(name) ?? wholeJob({ folder: join(folder.path, `embedded-${name}`) }, inputs[name]!);
  expected.set(name, known);
  return known;
}

afterAll(() => folder.remove());

const names = Object.keys(inputs);

describe('the embedded engines', () => {
  it.each(names)('%s: every step twice changes nothing, and the ledger is the bill', async (name) => {
    const answers = await embedded(name);
    expect(answers.repeated).toBe('the same');
    expect(answers.cost).toMatchObject({ identity: { residual: '0.000000000000000000' } });
    expect((answers.rows as object[]).length).toBeGreaterThan(30);
    expect((answers.postings as object[]).length).toBeGreaterThan(10);
  });

  it.skipIf(tricky.reason !== undefined)('tricky: the answer is that of the independent program', async () => {
    const { identity } = JSON.parse(readFileSync(join(tricky.found!, 'expected.json'), 'utf8')) as { identity: object };
    expect((await embedded('tricky')).cost).toMatchObject({ identity });
  });
});

describeWith(clickhouse(), 'a ClickHouse server', () => {
  let server: ClickHouseServer;
  beforeAll(async () => {
    server = await startClickHouse();
  });
  afterAll(() => server?.stop());

  it.each(names)('%s: the same answers, digit for digit', async (name) => {
    const clickhouseUrl = `${server.httpUrl}/job_${name}`;
    const answers = await wholeJob({ folder: join(folder.path, `clickhouse-${name}`), clickhouseUrl }, inputs[name]!);
    expect(answers).toEqual(await embedded(name));
  });
});

describeWith(postgres(), 'PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server?.stop());

  it.each(names.slice(-1))('%s: the same answers, digit for digit', async (name) => {
    const config = { folder: join(folder.path, `postgres-${name}`), postgresUrl: server.url };
    expect(await wholeJob(config, inputs[name]!)).toEqual(await embedded(name));
  });

  describeWith(clickhouse(), 'and a ClickHouse server', () => {
    let columns: ClickHouseServer;
    let documents: PostgresServer;
    beforeAll(async () => {
      columns = await startClickHouse();
      documents = await startPostgres();
    });
    afterAll(async () => {
      await columns?.stop();
      await documents?.stop();
    });

    it.each(names.slice(-1))('%s: the same answers, digit for digit', async (name) => {
      const config = { folder: join(folder.path, 'both'), clickhouseUrl: columns.httpUrl, postgresUrl: documents.url };
      expect(await wholeJob(config, inputs[name]!)).toEqual(await embedded(name));
    });
  });
});

function simulated(): JobInput {
  const sim = simulation({
    seed: 'engines',
    start: '2026-10-05T00:00:00Z',
    days: 1,
    callsPerHour: 6,
    sampleSeconds: 300,
  });
  return {
    traces: [...simulateTraces(sim)].map((request) => JSON.stringify(request)),
    metrics: [...simulateMetrics(sim)].map((request) => JSON.stringify(request)),
    bills: [[...simulateBill(sim)].join('')],
    documents: simulationDocuments(sim),
    ...{ from: '2026-10-01', to: '2026-11-01', month: '2026-10' },
  };
}

function trickyInput(path: string): JobInput {
  const lines = (file: string) =>
    gunzipSync(readFileSync(join(path, file)))
      .toString('utf8')
      .trimEnd()
      .split('\n');
  return {
    traces: lines('traces.jsonl.gz'),
    metrics: lines('metrics.jsonl.gz'),
    bills: ['bill-a.focus.csv', 'bill-b.focus.csv'].map((file) => readFileSync(join(path, file), 'utf8')),
    documents: readFileSync(join(path, 'model.yaml'), 'utf8'),
    ...{ from: '2025-01-01', to: '2025-02-01', month: '2025-01' },
  };
}
