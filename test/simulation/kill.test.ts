import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import { repository } from '../support/data.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { expectedTotals, type Totals } from './numbered-requests.ts';

const ROUNDS = 20;
const MOST_REQUESTS = 100_000;
const script = join(repository, 'test', 'simulation', 'kill-collector.ts');
const folder = tempFolder('kill');
afterAll(() => folder.remove());

interface Round {
  /** The process is killed when it has printed so many lines: `opened`, `ready`, and one for each acknowledged request. */
  readonly lines: number;
  /** How many acknowledged requests are sent again by the next process. */
  readonly repeats: number;
}

const rounds: fc.Arbitrary<Round[]> = fc.array(
  fc.record({ lines: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 3, max: 250 })), repeats: fc.nat(6) }),
  { minLength: ROUNDS, maxLength: ROUNDS },
);

/** Runs the program until it has printed enough, then ends it like a power cut; gives the numbers it acknowledged. */
async function run(path: string, first: number, count: number, lines: number): Promise<number[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', script, path, String(first), String(count)], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const printed: string[] = [];
  const ended = once(child, 'exit');
  if (lines === 0) child.kill('SIGKILL');
  // What was printed before the end counts, also where it is read after it.
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line);
    if (printed.length === lines) child.kill('SIGKILL');
  }
  await ended;
  if (lines === Number.POSITIVE_INFINITY) expect(printed.at(-1), complaints).toBe('settled');
  expect(complaints).toBe('');
  return printed.filter((line) => /^\d+$/.test(line)).map(Number);
}

async function storedTotals(
  path: string,
): Promise<Totals & { readonly counted: Record<string, number>; readonly twice: number }> {
  const store = await openStore({ folder: path });
  const { columns } = store;
  try {
    const [sums] = await columns.query<{ spans: string; busy: string }>(
      'SELECT sum(sign) AS spans, sum(sign * toInt64(busy_us)) AS busy FROM work',
    );
    const [twice] = await columns.query<{ n: string }>(
      'SELECT count() AS n FROM (SELECT trace_id, span_id, sum(sign) AS net FROM work GROUP BY trace_id, span_id HAVING net != 1)',
    );
    const [events] = await columns.query<{ n: string; tokens: string }>(
      "SELECT count() AS n, sum(JSONExtractUInt(data, 'tokens')) AS tokens FROM events",
    );
    const byTenant = async (sql: string) =>
      Object.fromEntries(
        (await columns.query<{ tenant: string; n: string }>(sql)).map(({ tenant, n }) => [tenant, Number(n)]),
      );
    return {
      events: Number(events!.n),
      tokens: Number(events!.tokens),
      spans: Number(sums!.spans),
      busyUs: Number(sums!.busy),
      twice: Number(twice!.n),
      calls: await byTenant(
        'SELECT tenant, sum(sign * toInt64(share)) AS n FROM work WHERE is_call = 1 GROUP BY tenant',
      ),
      counted: await byTenant('SELECT tenant, sum(calls) AS n FROM usage_minute WHERE marker = 0 GROUP BY tenant'),
    };
  } finally {
    await store.close();
  }
}

describe('kill -9 during ingest', () => {
  it(`${ROUNDS} times, and every acknowledged span and event counts exactly once`, async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(rounds, async (kills) => {
        const path = join(folder.path, String(++number));
        const acknowledged = new Set<number>();
        let next = 0;
        for (const { lines, repeats } of kills) {
          for (const each of await run(path, Math.max(0, next - repeats), MOST_REQUESTS, lines)) acknowledged.add(each);
          while (acknowledged.has(next)) next += 1;
        }
        // The sender does not know what became of the last requests: it sends them again, and then some.
        const count = Math.max(...acknowledged, 0) + 10;
        await run(path, next, count, Number.POSITIVE_INFINITY);
        const { counted, twice, ...totals } = await storedTotals(path);
        expect(totals).toEqual(expectedTotals(count));
        expect(counted).toEqual(totals.calls);
        expect(twice).toBe(0);
        expect(acknowledged.size).toBeGreaterThan(100);
      }),
      // Twenty processes are one run; a failure is not made smaller, its seed and rounds are printed as they are.
      { numRuns: 1, endOnFailure: true },
    );
  });
});
