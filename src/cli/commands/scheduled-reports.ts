import type { Command } from 'commander';
import type {
  ReportPreviewAnswer,
  ReportSchedulesAnswer,
  ReportSendAnswer,
} from '../../serve/contract/report-schedules.ts';
import type { Cli } from '../context.ts';
import { formatOf, printRows } from '../print.ts';

type Schedule = ReportSchedulesAnswer['schedules'][number];

/** reports: what is sent by schedule. */
export function addScheduledReportCommands(program: Command, cli: Cli): void {
  const reports = program.command('reports').description('reports that are sent by schedule');
  reports
    .command('list')
    .description('which there are, when next, and what became of the last ones')
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action(async (flags: { json?: boolean; csv?: boolean }) => {
      const answer = await cli.ask<ReportSchedulesAnswer>('GET', '/api/v1/report-schedules');
      const format = formatOf(flags);
      if (format === 'json') return cli.print(JSON.stringify(answer, null, 2));
      cli.print(printRows(format, columns, answer.schedules.flatMap(linesOf)));
    });
  reports
    .command('preview')
    .description('print a report as it would be sent')
    .argument('<schedule>', 'its name')
    .option('--from <day>', 'the first day of its period; the newest that is over without it')
    .option('--format <format>', 'text, html or json', 'text')
    .action(async (schedule: string, { from, format }: { from?: string; format: string }) => {
      const asked = new URLSearchParams({ format, ...(from === undefined ? {} : { from }) });
      const { page } = await cli.ask<ReportPreviewAnswer>('GET', `${pathOf(schedule)}/preview?${asked}`);
      cli.print(page.trimEnd());
    });
  reports
    .command('send')
    .description('send a report now to whom it did not reach')
    .argument('<schedule>', 'its name')
    .option('--from <day>', 'the first day of its period; the newest that is over without it')
    .option('--again', 'to those as well who have it, under the same id')
    .action(async (schedule: string, { from, again }: { from?: string; again?: boolean }) => {
      const asked = new URLSearchParams({ again: String(again ?? false), ...(from === undefined ? {} : { from }) });
      const { sent, deliveries } = await cli.ask<ReportSendAnswer>('POST', `${pathOf(schedule)}/send?${asked}`);
      for (const { period, target, state } of deliveries)
        cli.print(`${period.from} to ${period.to}: ${target}: ${state}`);
      cli.print(sent === 0 ? 'Nothing was sent: everybody has it already.' : `Sent to ${sent}.`);
    });
}

function pathOf(schedule: string): string {
  return `/api/v1/report-schedules/${encodeURIComponent(schedule)}`;
}

interface Line {
  readonly schedule: Schedule;
  readonly delivery: Schedule['deliveries'][number] | null;
}

const SHOWN = 10;

/** A line for each of the last deliveries; a schedule that sent nothing yet has one as well. */
function linesOf(schedule: Schedule): Line[] {
  const deliveries = schedule.deliveries.slice(0, SHOWN);
  return deliveries.length === 0
    ? [{ schedule, delivery: null }]
    : deliveries.map((delivery) => ({ schedule, delivery }));
}

const columns = [
  { head: 'schedule', value: ({ schedule }: Line) => schedule.name },
  { head: 'every', value: ({ schedule }: Line) => schedule.every },
  { head: 'next', value: ({ schedule }: Line) => schedule.next ?? 'never' },
  { head: 'from', value: ({ delivery }: Line) => delivery?.period.from },
  { head: 'target', value: ({ delivery }: Line) => delivery?.target },
  { head: 'state', value: ({ delivery }: Line) => delivery?.state },
  { head: 'attempts', value: ({ delivery }: Line) => delivery?.attempts, align: 'right' as const },
  { head: 'error', value: ({ delivery }: Line) => delivery?.error },
];
