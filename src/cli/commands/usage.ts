import type { Command } from 'commander';
import { benchmarkMetricNames, type UsageReportAnswer, type UsageReportName } from '../../serve/contract/usage.ts';
import type { Cli } from '../context.ts';
import { exportCalls, exportFormats } from '../export-calls.ts';
import { type Column, formatOf, printRows } from '../print.ts';

type Flag = readonly [flags: string, description: string, usual?: string];

interface UsageCommand {
  readonly name: UsageReportName;
  readonly description: string;
  readonly flags: readonly Flag[];
}

const from: Flag = ['--from <time>', 'a day or an instant, UTC; required'];
const to: Flag = ['--to <time>', 'not included; required'];
const window = (usual?: string): Flag => ['--window <window>', 'minute, hour, day, week, month or quarter', usual];
const compare: readonly Flag[] = [
  ['--compare <what>', 'none, previous, last-week, last-month or last-year', undefined],
  ['--base-from <time>', 'compare with any other range', undefined],
  ['--base-to <time>', 'its end, not included', undefined],
];
const by = (usual?: string): Flag => [
  '--by <dimensions>',
  'tenant, endpoint, consumer, kind, status, region, version, flags, service',
  usual,
];
const of: Flag = ['--of <whom>', 'tenant or consumer', 'tenant'];
const at: Flag = ['--at <time>', 'an instant; now, unless given'];
const currency: Flag = ['--currency <code>', 'of costs, where bills have several'];
const span: Flag = ['--span <span>', 'a number and s, m, h or d', '24h'];

/** What every one of them takes. */
const common: readonly Flag[] = [
  ['--where <choice>', 'which calls count, such as tenant:acme|globex;status:2xx'],
  ['--tz <zone>', 'IANA zone in which days begin', 'UTC'],
  ['--limit <rows>', 'rows of a page', '1000'],
  ['--cursor <cursor>', 'where the page begins: the next of the page before'],
];

const commands: readonly UsageCommand[] = [
  {
    name: 'volume',
    description: 'calls in windows and groups, beside those of another range or cohort',
    flags: [from, to, window(), by(), ...compare, ['--base-where <choice>', 'compare with other calls']],
  },
  {
    name: 'daily',
    description: 'calls of the last days by user and date',
    flags: [at, ['--days <days>', 'how many, today included', '7'], by('tenant,consumer')],
  },
  {
    name: 'rolling',
    description: 'calls of a span that ends at any instant, and a series of it',
    flags: [
      at,
      span,
      ['--step <span>', 'from one point of the series to the next', '1h'],
      ['--points <count>', 'how many', '1'],
    ],
  },
  { name: 'fit', description: 'how a rolling span and calendar days fit together', flags: [at, span] },
  {
    name: 'adoption',
    description: 'who is active, new, returning, resurrected, lapsed',
    flags: [from, to, window('day'), of],
  },
  {
    name: 'retention',
    description: 'of those who came together, how many are still there',
    flags: [from, to, window('month'), of],
  },
  {
    name: 'activation',
    description: 'how long new tenants need for their first call, first success and enough of them',
    flags: [
      ...[from, to, ['--successes <count>', 'how many successful calls are enough', '10'] as const],
      ['--value-event <type>', 'instead: the first event of this type, whose subject is a tenant'],
      ['--sign-up-event <type>', 'the event that says that a tenant signed up'],
    ],
  },
  {
    name: 'depth',
    description: 'how much of the API each tenant uses, and what comes of it',
    flags: [from, to, ['--value-event <type>', 'the event by which a tenant got something']],
  },
  { name: 'unused', description: 'endpoints that nobody calls', flags: [from, to] },
  {
    name: 'sequences',
    description: 'which endpoints power users call one after the other',
    flags: [
      from,
      to,
      ['--users <count>', 'how many, those with the most calls', '20'],
      ['--length <calls>', 'of a sequence, 2 to 6', '3'],
    ],
  },
  {
    name: 'concentration',
    description: 'how much hangs on the largest, and what if they leave',
    flags: [from, to, by('tenant'), ...compare],
  },
  {
    name: 'baseline',
    description: 'whether figures are where the own past says they should be, and whether they drift',
    flags: [
      ...[from, to, ['--metric <metric>', benchmarkMetricNames.join(', '), 'calls'] as const],
      ...[
        ['--window <window>', 'hour or day', 'day'] as const,
        ['--weeks <weeks>', 'of history, at most', '39'] as const,
      ],
      currency,
    ],
  },
  { name: 'targets', description: 'which targets are met, missed, on track and off track', flags: [at, currency] },
  {
    name: 'advice',
    description: 'which calls tenants could do without, and what these cost',
    flags: [from, to, currency],
  },
  {
    name: 'why',
    description: 'why volume moved: where the change is, and what it looks like',
    flags: [from, to, by('tenant,endpoint'), ...compare, ['--shown <parts>', 'parts of each dimension', '10']],
  },
];

const calls: readonly Flag[] = [
  from,
  to,
  ['--trace-id <id>', 'of this trace'],
  ['--request-id <id>', 'of this request, as its span named it'],
  ['--status-code <status>', 'that ended with this status'],
];

type Flags = Readonly<Record<string, string | undefined>> & { readonly json?: never; readonly csv?: never };

/** The reports on usage, below `taximeter usage`. */
export function addUsageCommands(usage: Command, cli: Cli): void {
  for (const { name, description, flags } of commands) {
    const command = usage.command(name).description(description);
    for (const flag of [...flags, ...common]) addFlag(command, flag);
    command
      .option('--json', 'print JSON')
      .option('--csv', 'print CSV')
      .action((given: Flags) => printReport(cli, name, given));
  }
  const letter = usage.command('letter').description('advice for one tenant, as a text that can be sent');
  const whose: Flag = ['--tenant <tenant>', 'who gets it; required'];
  for (const flag of [from, to, whose, currency]) addFlag(letter, flag);
  letter.action(async (given: Flags) => {
    const text = await new Response(await cli.read(`/api/v1/usage/letter?${queryOf(given)}`)).text();
    cli.print(text.trimEnd());
  });
  const log = usage.command('calls').description('every call, newest first; or all of them into a file');
  for (const flag of [...calls, ...common]) addFlag(log, flag);
  log
    .option('--export <file>', 'write all of them into this file')
    .option('--format <format>', `of the file: ${exportFormats.join(', ')}; otherwise by its name`)
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action(async (given: Flags & { export?: string; format?: string }) => {
      const { export: file, format, ...asked } = given;
      if (file === undefined) return printReport(cli, 'calls', asked);
      await exportCalls(cli, queryOf(asked), file, format);
    });
}

function addFlag(command: Command, [flags, description, usual]: Flag): void {
  if (description.endsWith('; required')) command.requiredOption(flags, description.replace('; required', ''));
  else command.option(flags, description, usual);
}

/** Flags are named as the parameters are. */
function queryOf(flags: Flags): URLSearchParams {
  const given = Object.entries(flags).filter(
    ([name, value]) => typeof value === 'string' && !['json', 'csv', 'data'].includes(name),
  );
  return new URLSearchParams(given as [string, string][]);
}

async function printReport(cli: Cli, name: UsageReportName, flags: Flags): Promise<void> {
  const answer = await cli.ask<UsageReportAnswer>('GET', `/api/v1/usage/${name}?${queryOf(flags)}`);
  const format = formatOf(flags as { json?: boolean; csv?: boolean });
  if (format === 'json') return cli.print(JSON.stringify(answer, null, 2));
  const heads = [...new Set(answer.rows.flatMap((row) => Object.keys(row)))];
  const columns = heads.map((head): Column<Record<string, unknown>> => {
    const isNumber = answer.rows.some((row) => typeof row[head] === 'number');
    return { head, value: (row) => shown(row[head], format), ...(isNumber ? { align: 'right' } : {}) };
  });
  cli.print(
    answer.rows.length === 0 && format === 'table' ? 'Nothing was found.' : printRows(format, columns, answer.rows),
  );
  if (format === 'table') cli.print(factsOf(answer));
  if (answer.next !== null) cli.warn(`taximeter: there is more; --cursor ${answer.next} goes on.`);
}

const DIGITS = 6;

function shown(value: unknown, format: 'table' | 'csv'): string | number | null {
  if (value === null || value === undefined) return format === 'table' ? '-' : null;
  if (typeof value === 'number' && format === 'table') return Number(value.toFixed(DIGITS));
  return typeof value === 'number' ? value : String(value);
}

/** The figures beside the rows, and how much they know. */
function factsOf(answer: UsageReportAnswer): string {
  const { rows, definition, coverage, freshness, next, ...facts } = answer;
  const lines = Object.entries(facts).map(
    ([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  const known = (share: number | null) => (share === null ? 'unknown' : `${(share * 100).toFixed(1)} %`);
  return [
    ...lines,
    `coverage: ${known(coverage.weight)} of calls with a known weight, calls in ${known(coverage.time)} of the time`,
    `newest call ${freshness.newestCall ?? 'none'}; as of ${freshness.asOf}; ${definition}`,
  ].join('\n');
}
