import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { QuarantineClearAnswer } from '../../serve/contract/lines.ts';
import type { Cli } from '../context.ts';
import { checkFormat } from '../log-query.ts';
import { formatOf, printRows } from '../print.ts';
import { type QuarantinedLine, quarantinedLines, type RetryResult, retryLines } from '../quarantine.ts';

interface ListFlags {
  readonly source?: string;
  readonly reason?: string;
  readonly limit: string;
  readonly json?: boolean;
  readonly csv?: boolean;
}

interface RetryFlags {
  readonly source?: string;
  readonly reason?: string;
  readonly format?: string;
  readonly json?: boolean;
}

const SOURCE = 'only of this file, as it was named, or of this sender';

/** quarantine: the lines that were refused, and what to do about them. */
export function addQuarantineCommands(program: Command, cli: Cli): void {
  const quarantine = program.command('quarantine').description('lines of logs that were refused');
  quarantine
    .command('list', { isDefault: true })
    .description('list them, the newest first')
    .option('--source <source>', SOURCE)
    .option('--reason <reason>', 'only of this reason')
    .option('--limit <lines>', 'how many at most', '1000')
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action((flags: ListFlags) => list(cli, flags));
  quarantine
    .command('retry')
    .description('read them again from their files and send them; what is accepted is in it no more')
    .option('--source <source>', SOURCE)
    .option('--reason <reason>', 'only of this reason')
    .option('--format <format>', 'read them as this format; otherwise as before')
    .option('--json', 'print JSON')
    .action((flags: RetryFlags) => retry(cli, flags));
  quarantine
    .command('clear')
    .description('forget them')
    .option('--source <source>', SOURCE)
    .option('--reason <reason>', 'only of this reason')
    .action(async (flags: Pick<ListFlags, 'source' | 'reason'>) => {
      const query = new URLSearchParams(choiceOf(flags));
      const { removed } = await cli.ask<QuarantineClearAnswer>('DELETE', `/api/v1/quarantine?${query}`);
      cli.print(`${removed} lines forgotten.`);
    });
}

function choiceOf({ source, reason }: Pick<ListFlags, 'source' | 'reason'>): Record<string, string> {
  const isSender = source === undefined || source === '' || source.startsWith('syslog ') || source === 'standard input';
  return {
    ...(source === undefined ? {} : { source: isSender ? source : resolve(source) }),
    ...(reason === undefined ? {} : { reason }),
  };
}

async function list(cli: Cli, flags: ListFlags): Promise<void> {
  const most = Math.max(1, Math.trunc(Number(flags.limit)) || 1);
  const { lines, total } = await quarantinedLines(cli, choiceOf(flags), most);
  const format = formatOf(flags);
  if (format === 'json') cli.print(JSON.stringify({ total, lines }, null, 2));
  else cli.print(printRows<QuarantinedLine>(format, columns(lines), lines));
  if (total > lines.length) cli.warn(`taximeter: ${lines.length} of ${total} lines; --limit shows more.`);
}

function columns(lines: readonly QuarantinedLine[]) {
  const hasText = lines.some(({ text }) => text !== null);
  return [
    { head: 'source', value: (line: QuarantinedLine) => line.source },
    { head: 'line', value: (line: QuarantinedLine) => line.line, align: 'right' as const },
    { head: 'byte', value: (line: QuarantinedLine) => line.offset, align: 'right' as const },
    { head: 'reason', value: (line: QuarantinedLine) => line.reason },
    { head: 'format', value: (line: QuarantinedLine) => line.format },
    { head: 'service', value: (line: QuarantinedLine) => line.service },
    { head: 'time', value: (line: QuarantinedLine) => line.time },
    ...(hasText ? [{ head: 'text', value: (line: QuarantinedLine) => line.text }] : []),
  ];
}

async function retry(cli: Cli, flags: RetryFlags): Promise<void> {
  if (flags.format !== undefined) checkFormat(flags.format);
  const { lines } = await quarantinedLines(cli, choiceOf(flags));
  const results = await retryLines(cli, lines, flags.format);
  if (results.some(({ accepted }) => accepted > 0)) await cli.ask('POST', '/api/v1/settle');
  if (flags.json) cli.print(JSON.stringify(results, null, 2));
  for (const result of results) tell(cli, result, flags.json === true);
  if (results.length === 0 && !flags.json) cli.print('Nothing is in the quarantine.');
}

function tell(cli: Cli, { source, lines, accepted, refused, problem }: RetryResult, isJson: boolean): void {
  if (problem !== '') cli.warn(`taximeter: ${source}: ${lines} lines cannot be read again: ${problem}.`);
  else if (!isJson) cli.print(`${source}: ${accepted} accepted, ${refused} still refused.`);
  if (problem !== '' || refused > 0) cli.failed();
}
