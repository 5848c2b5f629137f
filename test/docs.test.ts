import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { reportScheduleSpec } from '../src/advise/index.ts';
import { currencyRatesSpec } from '../src/bill/index.ts';
import { addDoctorCommand } from '../src/cli/commands/doctor.ts';
import { addLedgerCommands } from '../src/cli/commands/ledger.ts';
import { addLimitCommands } from '../src/cli/commands/limits.ts';
import { addModelCommands } from '../src/cli/commands/models.ts';
import { addReportCommands } from '../src/cli/commands/reports.ts';
import { addRetentionCommands } from '../src/cli/commands/retention.ts';
import { addServeCommand } from '../src/cli/commands/serve.ts';
import { addSimulateCommand } from '../src/cli/commands/simulate.ts';
import { addWorkCommands } from '../src/cli/commands/work.ts';
import { readConfig } from '../src/cli/config.ts';
import { Cli, type CliDeps } from '../src/cli/context.ts';
import { boundarySpec, endpointMapSpec, refusals, tenantMapSpec } from '../src/collect/index.ts';
import { costModelSpec, rateCardSpec } from '../src/cost/index.ts';
import { limitPolicySpec, planSpec } from '../src/limit/index.ts';
import { drivers, failures } from '../src/model/index.ts';
import {
  benchmarkMetricNames,
  usageAnswers,
  usageCauses,
  usageDimensionNames,
  usageWasteKinds,
} from '../src/serve/contract/usage.ts';
import { createApi, type House } from '../src/serve/index.ts';
import { parseDocuments } from '../src/store/index.ts';
import { benchmarkMetrics, causes, dimensions, meterSpec, targetSpec, wasteKinds } from '../src/usage/index.ts';
import { repository } from './support/data.ts';

const read = (path: string) => readFileSync(join(repository, path), 'utf8');

/** Everything that people read, except what lies in packages. */
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'AGENTS.md',
  'web/README.md',
  'sdk/README.md',
  ...found('docs'),
  ...found('src'),
];

function found(folder: string): string[] {
  const names = readdirSync(join(repository, folder), { encoding: 'utf8', recursive: true });
  return names
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort();
}

/** The cells of the rows of all tables whose first cell is code, without the backticks around whole cells. */
function codeRows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')),
  );
}

/** The part of a page below a heading, down to the next heading of the same or a higher level. */
function section(text: string, heading: string): string {
  const level = /^#+/.exec(heading)![0].length;
  const after = text.slice(text.indexOf(`\n${heading}\n`) + heading.length + 2);
  const next = after.search(new RegExp(`^#{1,${level}} `, 'm'));
  return next < 0 ? after : after.slice(0, next);
}

describe('failures', () => {
  const text = read('docs/reference/failures.md');

  test('the page has every code with its status, words and advice, and no other', () => {
    const written = codeRows(text.slice(0, text.indexOf('\n## Refusals')));
    const known = Object.entries(failures).map(([code, [status, words, todo]]) => [code, String(status), words, todo]);
    expect(written.map((row) => row.slice(0, 4))).toEqual(known);
    expect(written.filter((row) => (row[4] ?? '') === '')).toEqual([]);
  });

  test('the page has every reason of a refusal, and no other', () => {
    expect(codeRows(section(text, '## Refusals')).map(([reason]) => reason)).toEqual([...refusals]);
  });
});

describe('settings', () => {
  const rows = codeRows(read('docs/reference/configuration.md'));
  const names = [...read('src/cli/config.ts').matchAll(/^ {2}(TAXIMETER_\w+):/gm)].map(([, name]) => name);

  test('the page has every setting in the order of the code, and no other', () => {
    expect(names.length).toBeGreaterThan(5);
    expect(rows.map(([name]) => name)).toEqual(names);
  });

  test('the defaults are those of an empty environment', () => {
    const defaults = Object.values(readConfig({})).map((value) => String(value ?? '') || 'none');
    expect(rows.map(([, value]) => value)).toEqual(defaults);
  });
});

describe('commands', () => {
  const text = read('docs/reference/cli.md');
  const program = new Command('taximeter');
  const cli = new Cli({ environment: {} } as unknown as CliDeps);
  for (const add of [
    addServeCommand,
    addWorkCommands,
    addReportCommands,
    addModelCommands,
    addLedgerCommands,
    addRetentionCommands,
    addLimitCommands,
    addSimulateCommand,
    addDoctorCommand,
  ])
    add(program, cli);
  const commands = leaves(program, []);

  test('the page has every command, and no other', () => {
    const written = [...text.matchAll(/^## (taximeter .+)$/gm)].map(([, name]) => name!);
    expect(written.sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  test.each(commands)('$name has the flags and defaults that the page says', ({ name, command }) => {
    const written = codeRows(section(text, `## ${name}`)).map(([flags, value]) => [flags, value]);
    const known = command.options.map((option) => [option.flags, String(option.defaultValue ?? '')]);
    expect(written).toEqual(known);
  });
});

function leaves(command: Command, above: readonly string[]): { name: string; command: Command }[] {
  const path = [...above, command.name()];
  if (command.commands.length === 0) return [{ name: path.join(' '), command }];
  return command.commands.flatMap((below) => leaves(below, path));
}

describe('HTTP API', () => {
  test('the page has every route that the API describes, and no other', async () => {
    // The description needs nothing of a house but these.
    const api = createApi({ version: '0', folder: '', limits: { bodyBytes: 1, uploadBytes: 1 } } as unknown as House, {
      pages: '',
    });
    const answer = await api(new Request('http://localhost/api/openapi.json'));
    const { paths } = (await answer.json()) as { paths: Record<string, object> };
    const known = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const written = codeRows(read('docs/reference/http-api.md')).map(([route]) => route!);
    expect(known.length).toBeGreaterThan(5);
    expect(written.filter((route) => route.includes(' /api/')).sort()).toEqual(known.sort());
  });
});

describe('reports on usage', () => {
  const text = read('docs/reference/usage-metrics.md');

  test('the page has every report, and no other, with a section of its own', () => {
    const listed = [...text.matchAll(/^\| \[`(\w+)`\]\(#\w+\)/gm)].map(([, name]) => name);
    expect(listed).toEqual(Object.keys(usageAnswers));
    expect([...text.matchAll(/^## (\w+)$/gm)].map(([, name]) => name)).toEqual(Object.keys(usageAnswers));
  });

  test('the page has every cause and kind of waste, and the contract the same', () => {
    expect(codeRows(section(text, '## why')).map(([cause]) => cause)).toEqual([...causes]);
    expect([...usageCauses]).toEqual([...causes]);
    expect([...usageDimensionNames]).toEqual([...dimensions]);
    expect(codeRows(section(text, '## advice')).map(([kind]) => kind)).toEqual([...wasteKinds]);
    expect([...usageWasteKinds]).toEqual([...wasteKinds]);
    expect([...benchmarkMetricNames]).toEqual([...benchmarkMetrics]);
  });
});

describe('metrics', () => {
  test('the page has every metric of Taximeter, and no other', () => {
    const known = [...read('src/serve/metrics.ts').matchAll(/'(taximeter_\w+)'/g)].map(([, name]) => name);
    const rows = codeRows(section(read('docs/guides/operate.md'), '## Metrics'));
    expect(known.length).toBeGreaterThan(3);
    expect(rows.map(([name]) => name)).toEqual(known);
  });
});

describe('documents', () => {
  const text = read('docs/reference/documents.md');
  const schemas: Record<string, z.ZodType> = {
    Boundary: boundarySpec,
    TenantMap: tenantMapSpec,
    EndpointMap: endpointMapSpec,
    CostModel: costModelSpec,
    CurrencyRates: currencyRatesSpec,
    Meter: meterSpec,
    RateCard: rateCardSpec,
    LimitPolicy: limitPolicySpec,
    Plan: planSpec,
    ReportSchedule: reportScheduleSpec,
    Target: targetSpec,
  };

  test.each(Object.keys(schemas))('the page has every field of %s, and no other', (kind) => {
    const top = section(text, `## ${kind}`).split('\n### ')[0]!;
    const written = codeRows(top).map(([field]) => field!);
    expect(written).toEqual(fieldsOf(z.toJSONSchema(schemas[kind]!, { io: 'input' }) as JsonSchema, ''));
  });

  test('the page names every driver', () => {
    const listed = [...section(text, '### Drivers').matchAll(/`(\w+)`/g)].map(([, name]) => name);
    expect(listed).toEqual([...drivers]);
  });

  const examples = pages.flatMap((page) =>
    [...read(page).matchAll(/^```yaml\n([\s\S]*?)^```/gm)]
      .map(([, yaml]) => yaml!)
      .filter((yaml) => yaml.includes('apiVersion: taximeter/'))
      .map((yaml, place) => ({ name: `${page}, ${place + 1}`, yaml })),
  );

  test('there are examples', () => {
    expect(examples.length).toBeGreaterThan(3);
  });

  test.each(examples)('the example of $name can be applied', ({ yaml }) => {
    for (const document of parseDocuments(yaml)) {
      expect(document.check(schemas[document.kind] ?? z.never())).not.toHaveProperty('problems');
    }
  });
});

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

/** `pools`, `pools[].id`, `pools[].fixed.amount`: lists before what is in them, objects only by what is in them. */
function fieldsOf(schema: JsonSchema, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    if (field.properties) return fieldsOf(field, `${path}.`);
    return field.items?.properties ? [path, ...fieldsOf(field.items, `${path}[].`)] : [path];
  });
}

describe('dependencies', () => {
  const text = read('docs/internals/dependencies.md');
  const manifests = ['package.json', 'web/package.json', 'sdk/package.json'].map(
    (path) => JSON.parse(read(path)) as Partial<Record<'dependencies' | 'devDependencies', Record<string, string>>>,
  );

  test('the page has every package that runs, and no other', () => {
    const running = manifests.flatMap(({ dependencies }) => Object.keys(dependencies ?? {}));
    const rows = codeRows(text);
    expect(rows.map(([name]) => name)).toEqual(running);
    expect(rows.filter(([, why, leaving]) => !why || !leaving)).toEqual([]);
  });

  test('the page has every package of development, and no other', () => {
    const known = manifests.flatMap(({ devDependencies }) => Object.keys(devDependencies ?? {}));
    const written = [...section(text, '## Development').matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    expect(written.sort()).toEqual(known.sort());
  });
});

describe('links', () => {
  test.each(pages)('%s leads only to what is there', (page) => {
    expect(linksOf(page).filter((link) => !leadsSomewhere(page, link))).toEqual([]);
  });
});

/** Relative links of a page, outside of code. */
function linksOf(page: string): string[] {
  const prose = read(page)
    .replace(/^```[\s\S]*?^```/gm, '')
    .replace(/`[^`\n]*`/g, 'code');
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#', 2);
  const target = path === '' ? join(repository, page) : join(repository, dirname(page), path);
  if (relative(repository, target).startsWith('..') || !existsSync(target)) return false;
  if (anchor === undefined) return true;
  return statSync(target).isFile() && anchorsOf(readFileSync(target, 'utf8')).includes(anchor);
}

/** The names that headings get on GitHub. */
function anchorsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

describe('first pages', () => {
  test.each(['AGENTS.md', 'CONTRIBUTING.md'])('%s has at most 120 lines', (page) => {
    expect(read(page).trimEnd().split('\n').length).toBeLessThanOrEqual(120);
  });

  test.each(['README.md', 'AGENTS.md', 'CONTRIBUTING.md', ...found('docs')])(
    '%s names only scripts that there are',
    (page) => {
      const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
      const web = JSON.parse(read('web/package.json')) as { scripts: Record<string, string> };
      const named = [...read(page).matchAll(/\bnpm (?:run ([\w:]+)|(test|start))( -w web)?/g)];
      const missing = named.filter(([, run, own, inWeb]) => !((run ?? own)! in (inWeb ? web.scripts : scripts)));
      expect(missing.map(([command]) => command)).toEqual([]);
    },
  );

  test('the README begins with the two commands', () => {
    const [, first = ''] = read('README.md').split('\n## Two commands\n');
    expect([...first.matchAll(/^ {4}(npm .+)$/gm)].slice(0, 2).map(([, command]) => command)).toEqual([
      'npm run demo',
      'npm test',
    ]);
  });

  test('every decision has its four parts', () => {
    const parts = ['## Situation', '## Choice', '## What it costs', '## How we would notice that it was wrong'];
    const incomplete = found('docs/decisions').filter((page) =>
      parts.some((part) => !read(page).includes(`\n${part}\n`)),
    );
    expect(incomplete).toEqual([]);
  });
});
