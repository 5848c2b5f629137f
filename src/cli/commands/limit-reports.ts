import type { Command } from 'commander';
import type { DriftAnswer, ExplainAnswer, RebuildAnswer, WhatIfAnswer } from '../../serve/contract/limits.ts';
import type { Cli } from '../context.ts';
import { type Column, type Format, formatOf, printRows, shortMoney } from '../print.ts';
import { readText } from '../read-text.ts';
import { query } from './reports.ts';

interface Shape {
  json?: boolean;
  csv?: boolean;
}

/** limits explain, drift, rebuild, what-if: policies in words, counters beside calls, proposals beside the past. */
export function addLimitReports(limits: Command, cli: Cli): void {
  limits
    .command('explain')
    .description('which policies concern somebody, in which order, and what of them cannot be meant')
    .option('--tenant <tenant>', 'only what concerns this tenant')
    .option('--organisation <organisation>', 'of the tenant, where it is in one')
    .option('--consumer <consumer>', 'user, application or key')
    .option('--endpoint <endpoint>', "such as 'GET /v1/users/{id}'")
    .option('--json', 'print JSON')
    .action(async (flags: Record<string, string> & Shape) => {
      const path = `/api/v1/limits/explain?${query(flags, ['tenant', 'organisation', 'consumer', 'endpoint'])}`;
      const answer = await cli.ask<ExplainAnswer>('GET', path);
      cli.print(flags.json ? JSON.stringify(answer, null, 2) : explained(answer));
    });
  shaped(
    limits.command('drift').description('what counters let pass beside what calls of the same time were counted'),
  ).action(async (flags: Shape) => {
    const answer = await cli.ask<DriftAnswer>('GET', '/api/v1/limits/drift');
    cli.print(drifted(answer, formatOf(flags)));
  });
  shaped(
    limits
      .command('rebuild')
      .description('set counters to what the calls of their windows amount to')
      .option('--policy <name>', 'only of this policy')
      .option('--lower', 'let counters fall too; without it they only rise'),
  ).action(async (flags: Shape & { policy?: string; lower?: boolean }) => {
    const asked = query({ policy: flags.policy, lower: flags.lower }, ['policy', 'lower']);
    const answer = await cli.ask<RebuildAnswer>('POST', `/api/v1/limits/rebuild?${asked}`);
    const format = formatOf(flags);
    cli.print(format === 'json' ? JSON.stringify(answer, null, 2) : printRows(format, rebuiltColumns, answer.limits));
  });
  shaped(
    limits
      .command('what-if')
      .description('whom proposed policies would have limited, by the calls that came')
      .requiredOption('--file <file>', 'LimitPolicy and Plan documents; - is standard input')
      .option('--days <days>', 'the last so many, until now; 7 without a range')
      .option('--from <time>', 'a day or an instant, UTC')
      .option('--to <time>', 'not included')
      .option('--currency <code>', "of what would have been saved; the model's without it"),
  ).action(async (flags: Shape & { file: string; days?: string; from?: string; to?: string; currency?: string }) => {
    const path = `/api/v1/limits/what-if?${query(flags, ['days', 'from', 'to', 'currency'])}`;
    const answer = await cli.ask<WhatIfAnswer>('POST', path, await readText(flags.file));
    cli.print(wouldHaveBeen(answer, formatOf(flags)));
  });
}

function shaped(command: Command): Command {
  return command.option('--json', 'print JSON').option('--csv', 'print CSV');
}

function explained({ policies, notes }: ExplainAnswer): string {
  if (policies.length === 0) return 'No policy concerns this: everything passes.';
  const lines = policies.flatMap(({ name, version, order, limits, togetherWith }) => [
    `${order}. ${name}@${version}${togetherWith.length === 0 ? '' : `, together with ${togetherWith.join(', ')}`}`,
    ...limits.map(({ id, words, isEnforced }) => `   ${id}: ${words}${isEnforced ? '' : ' (only watched)'}`),
  ]);
  const told = notes.map(({ policy, limit, words }) => `- ${limit === '' ? policy : `${policy}.${limit}`}: ${words}`);
  const head = told.length === 0 ? 'Nothing of it contradicts itself.' : 'What may not be meant:';
  return [...lines, '', head, ...told].join('\n');
}

type DriftLine = DriftAnswer['rows'][number];

function whose(per: Readonly<Record<string, string>>): string {
  return Object.values(per).join(' ');
}

const driftColumns: Column<DriftLine>[] = [
  { head: 'limit', value: ({ policy, limit }) => `${policy}.${limit}` },
  { head: 'of', value: ({ per }) => whose(per) },
  { head: 'since', value: ({ from }) => from },
  { head: 'admitted', value: ({ admitted }) => admitted, align: 'right' },
  { head: 'counted', value: ({ counted }) => counted, align: 'right' },
  { head: 'refused', value: ({ refused }) => refused, align: 'right' },
  { head: 'drift', value: ({ drift }) => drift, align: 'right' },
];

function drifted(answer: DriftAnswer, format: Format): string {
  if (format === 'json') return JSON.stringify(answer, null, 2);
  const table = printRows(format, driftColumns, answer.rows);
  return format === 'csv' ? table : [table, ...leftOut(answer.left)].join('\n');
}

function leftOut(left: DriftAnswer['left']): string[] {
  return left.map(({ policy, limit, why }) => `${policy}.${limit}: left out, ${why}.`);
}

const rebuiltColumns: Column<RebuildAnswer['limits'][number]>[] = [
  { head: 'limit', value: ({ policy, limit }) => `${policy}.${limit}` },
  { head: 'counters', value: ({ counters }) => counters, align: 'right' },
  { head: 'raised', value: ({ raised }) => raised, align: 'right' },
  { head: 'lowered', value: ({ lowered }) => lowered, align: 'right' },
  { head: 'left out because', value: ({ why }) => why },
];

function wouldHaveBeen(answer: WhatIfAnswer, format: Format): string {
  if (format === 'json') return JSON.stringify(answer, null, 2);
  const exact = format === 'csv';
  const columns: Column<WhatIfAnswer['rows'][number]>[] = [
    { head: 'limit', value: ({ policy, limit }) => `${policy}.${limit}` },
    { head: 'of', value: ({ per }) => whose(per) },
    { head: 'first', value: ({ first }) => first },
    { head: 'last', value: ({ last }) => last },
    { head: 'calls', value: ({ calls }) => calls, align: 'right' },
    { head: `saved ${answer.currency}`, value: ({ saved }) => (exact ? saved : shortMoney(saved)), align: 'right' },
    { head: 'of unknown cost', value: ({ callsOfUnknownCost }) => callsOfUnknownCost, align: 'right' },
  ];
  const table = printRows(format, columns, answer.rows);
  if (exact) return table;
  const { calls, limited, undecided, omitted } = answer;
  const more = [
    ...(omitted > 0 ? [`${omitted} more are not listed.`] : []),
    ...(undecided > 0 ? [`Of ${undecided} calls it cannot be said: their cost is not known.`] : []),
    ...leftOut(answer.left),
  ];
  return [`Of ${calls} calls ${limited} would not have passed${savedWords(answer)}.`, table, ...more].join('\n');
}

function savedWords({ limited, saved, currency, callsOfUnknownCost }: WhatIfAnswer): string {
  if (saved !== null) return `; they cost ${shortMoney(saved)} ${currency}`;
  if (callsOfUnknownCost > 0) return '; nobody knows what they cost';
  return limited > 0 ? '; they were refused when they came' : '';
}
