import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeTraceRequest, simulateTraces, simulation } from '../../src/advise/index.ts';
import { type Api, createApi } from '../../src/serve/index.ts';
import { curlRequest, type GuideCommand, guideCommands, guideDocuments } from '../support/guide-commands.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { runCommand } from '../support/run-command.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { callRequest } from './small-input.ts';

/** Whatever a guide about usage and limits shows as a command is run, and prints what the guide says that it prints. */

const folder = tempFolder('guides');
afterAll(() => folder.remove());

/** Flags that name files, which lie in the folder of the test. */
const FILE_FLAGS = new Set(['-f', '--file', '--export']);

const plain = (text: string) => text.replace(/\s+/g, ' ').trim();

async function expectWorks(api: Api, { line, words, printed }: GuideCommand): Promise<void> {
  const [program, ...rest] = words;
  if (program === 'curl') {
    const answer = await api(curlRequest(words));
    expect([answer.status, await answer.text()], line).toEqual([200, expect.any(String)]);
    return;
  }
  const args = rest.map((word, place) => (FILE_FLAGS.has(rest[place - 1]!) ? join(folder.path, word) : word));
  const { code, out, err } = await runCommand(api, folder.path, args);
  expect([code, code === 0 ? '' : err], line).toEqual([0, '']);
  const lines = plain(`${out}\n${err}`);
  for (const each of printed) expect(lines, line).toContain(plain(each));
}

/** The calls that the command makes; its metrics and its bill take ten times as long, and no question is about them. */
async function sendTraffic({ house }: ListeningHouse, words: readonly string[]): Promise<void> {
  const of = (flag: string) => words[words.indexOf(flag) + 1]!;
  const sim = simulation({
    ...{ seed: '1', start: of('--start'), days: Number(of('--days')), callsPerHour: Number(of('--calls-per-hour')) },
  });
  let under: Promise<unknown>[] = [];
  for (const request of simulateTraces(sim)) {
    under.push(house.collector.traces(Buffer.from(encodeTraceRequest(request)), 'protobuf'));
    if (under.length < 16) continue;
    await Promise.all(under);
    under = [];
  }
  await Promise.all(under);
  await house.collector.settle();
}

describe('a product manager', () => {
  const [made, ...questions] = guideCommands('product-questions.md') as [GuideCommand, ...GuideCommand[]];
  let opened: ListeningHouse;
  let api: Api;
  beforeAll(async () => {
    opened = await openListeningHouse(64 << 20, '', () => new Date('2022-08-15T09:00:00Z'));
    api = createApi(opened.house, { pages: '' });
    writeFileSync(join(folder.path, 'monday.yaml'), guideDocuments('product-questions.md')[0]!);
    await sendTraffic(opened, made.words);
  });
  afterAll(() => opened.close());

  test('makes the example', () => {
    expect(made.words.slice(0, 2)).toEqual(['taximeter', 'simulate']);
  });

  test.each(questions)('asks: $line', async (command) => {
    await expectWorks(api, command);
  });
});

describe('the guides', () => {
  let opened: ListeningHouse;
  let api: Api;
  const now = new Date('2026-11-02T09:00:00Z');
  beforeAll(async () => {
    opened = await openListeningHouse(1 << 20, '', () => now);
    api = createApi(opened.house, { pages: '' });
    const { collector } = opened.house;
    // Some calls on each day of October.
    const october = Date.UTC(2026, 9, 1) - Date.UTC(2022, 7, 1);
    for (let id = 1; id <= 31 * 6; id++) {
      const tenant = id % 3 === 0 ? 'acme' : 'globex';
      const atMs = october + id * 4 * 3_600_000 - 1_000;
      await collector.traces(Buffer.from(callRequest({ id, tenant, route: `/${id % 2}`, atMs })), 'json');
    }
    await collector.settle();
    const target = `apiVersion: taximeter/v1\nkind: Target\nmetadata: { name: errors }\nspec: { metric: errorRate, value: 0.01, direction: atMost, by: '2026-12-31' }\n`;
    const [limits, tokens] = guideDocuments('limit-calls.md');
    const [weekly] = guideDocuments('scheduled-reports.md');
    const files = {
      'targets.yaml': target,
      'limits.yaml': limits!,
      'tokens.yaml': tokens!,
      'proposed.yaml': limits!,
      'weekly.yaml': weekly!,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder.path, name), text);
    const plan = `apiVersion: taximeter/v1\nkind: Plan\nmetadata: { name: crm }\nspec: { editions: { developer: { base: 1 }, enterprise: { base: 2 } }, defaultEdition: developer, tenants: { acme: { edition: enterprise } } }\n`;
    await api(new Request('http://localhost/api/v1/documents', { method: 'POST', body: plan }));
  });
  afterAll(() => opened.close());

  const shown = ['understand-usage.md', 'limit-calls.md', 'scheduled-reports.md'].flatMap((page) =>
    // What sends mail needs a mail server: test/flow/scheduled-reports.test.ts has one.
    guideCommands(page)
      .filter(({ words }) => words.slice(1, 3).join(' ') !== 'reports send')
      .map((command) => ({ page, command, line: command.line })),
  );

  test('have commands', () => {
    expect(shown.length).toBeGreaterThan(30);
  });

  test.each(shown)('$page: $line', async ({ command }) => {
    await expectWorks(api, command);
    const place = command.words.indexOf('--export');
    if (place > 0) expect(existsSync(join(folder.path, command.words[place + 1]!))).toBe(true);
  });
});
