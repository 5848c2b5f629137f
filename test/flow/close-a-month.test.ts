import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runCli } from '../../src/cli/index.ts';
import { createApi } from '../../src/serve/index.ts';
import { repository } from '../support/data.ts';
import { openListeningHouse } from '../support/listening-house.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { billOf, callRequest, hour, modelOf } from './small-input.ts';

/** The guide is followed as it is written, command by command, in a folder of its own. */

const folder = tempFolder('close-a-month');
const back = process.cwd();
process.chdir(folder.path);
const { house, close } = await openListeningHouse(2 ** 24);
afterAll(async () => {
  process.chdir(back);
  await close();
  folder.remove();
});

const api = createApi(house, { pages: '' });
async function run(...args: string[]) {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    version: '0',
    environment: {},
    openLocally: async () => ({ api, close: async () => undefined }),
    serve: () => Promise.reject(new Error('nobody serves here')),
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

function commandsOf(page: string): string[][] {
  const text = readFileSync(join(repository, 'docs', 'guides', page), 'utf8');
  const outside = text.replace(/`[^`\n]*`/g, '');
  return [...outside.matchAll(/^ {4,}npx taximeter (.+)$/gm)].map(([, command]) => command!.split(' '));
}

const charges = Array.from({ length: 24 }, (_, at) => ({ ...hour(at), EffectiveCost: '1.5', BilledCost: '1.5' }));

test('docs/guides/close-a-month.md and restatements.md can be followed', async () => {
  writeFileSync('model.yaml', modelOf());
  writeFileSync('focus-2022-08.csv', billOf(charges));
  writeFileSync('focus-2022-08-corrected.csv', billOf(charges.map((charge) => ({ ...charge, EffectiveCost: '1.25' }))));
  expect((await run('apply', '-f', 'model.yaml')).code).toBe(0);
  for (const [id, tenant] of ['acme', 'acme', 'beta'].entries())
    await house.collector.traces(Buffer.from(callRequest({ id: id + 1, tenant })), 'json');

  const commands = commandsOf('close-a-month.md');
  expect(commands.length).toBeGreaterThan(7);
  const outputs: string[] = [];
  for (const command of commands) {
    const { code, out, err } = await run(...command);
    expect([command.join(' '), code, err]).toEqual([command.join(' '), 0, expect.not.stringContaining('taximeter:')]);
    outputs.push(out);
  }
  const shown = (start: string) => outputs[commands.findIndex((command) => command.join(' ').startsWith(start))];
  expect(shown('close')).toBe('2022-08 is closed: 1 bills, residual 0.000000000000000000.\n');
  expect(shown('ledger verify')).toMatch(/^2022-08: 1 blocks, 24 postings, 25 shares; [0-9a-f]{64}\n$/);
  expect(shown('chargeback')).toContain('1.000000000000000000');
  const page = readFileSync('acme-2022-08.html', 'utf8');
  expect(page).toContain('<h1>Statement of acme</h1>');
  expect(page).toContain('2022-08, final');

  for (const command of commandsOf('restatements.md'))
    expect([command, (await run(...command)).code]).toEqual([command, 0]);
  const { out } = await run('reconcile', '--period', '2022-09', '--json');
  expect(JSON.parse(out).lines).toMatchObject([
    { restated: '-6.000000000000000000', residual: '0.000000000000000000' },
  ]);
  expect(
    JSON.parse((await run('cost', '--from', '2022-08-01', '--to', '2022-09-01', '--json')).out).identity.bill,
  ).toBe('30.000000000000000000');
});

test('a changed export is refused with what is wrong, and a month is written to standard output', async () => {
  const text = readFileSync('ledger-2022-08.jsonl', 'utf8');
  writeFileSync('changed.jsonl', text.replace('"amount":"1.500000000000000000"', '"amount":"1.500000000000000001"'));
  const { code, err } = await run('ledger', 'verify', 'changed.jsonl');
  expect([code, err]).toEqual([1, expect.stringMatching(/^line \d+: /)]);
  expect((await run('ledger', 'verify', 'nothing.jsonl')).err).toContain('the file cannot be read');
  const { out } = await run('ledger', 'export', '--period', '2022-08');
  expect(out.split('\n').length).toBe(text.split('\n').length);
  const split = await run('ledger', 'focus', '--period', '2022-08');
  expect(split.out.split('\r\n')[1]).toContain('taximeter:small@1:vm');
});

test('usage as of a past date is refused clearly; a statement of nobody is empty', async () => {
  const usage = await api(new Request('http://localhost/api/v1/usage?from=2022-08-01&to=2022-09-01&asOf=2022-08-05'));
  expect([usage.status, ((await usage.json()) as { code: string }).code]).toEqual([400, 'AS_OF_UNKNOWN']);
  expect((await run('statement', '--tenant', 'nobody', '--period', '2022-08')).out).toContain('nothing owed');
});
