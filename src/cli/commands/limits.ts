import type { Command } from 'commander';
import type { Cli } from '../context.ts';
import { type Column, formatOf, printRows } from '../print.ts';
import { addLimitReports } from './limit-reports.ts';
import { query } from './reports.ts';

/** A limit as the API shows it, as far as it is printed. */
interface ShownLimit {
  readonly policy: string;
  readonly version: number;
  readonly limit: string;
  readonly unit: string;
  readonly amount: number | string;
  readonly before: number | string;
  readonly after: number | string;
  readonly remaining: number | string;
  readonly zone: string;
  readonly enforced: boolean;
  readonly resetsAt: string;
  /** Of `limits show`: calls of the same time; null where they cannot be counted. */
  readonly counted?: number | null;
}

interface Whose {
  tenant: string;
  organisation?: string;
  consumer?: string;
  endpoint?: string;
  json?: boolean;
  csv?: boolean;
}

const columns: Column<ShownLimit>[] = [
  { head: 'policy', value: ({ policy, version }) => `${policy}@${version}` },
  { head: 'limit', value: ({ limit }) => limit },
  { head: 'used', value: ({ after }) => after, align: 'right' },
  { head: 'of', value: ({ amount }) => amount, align: 'right' },
  { head: 'remaining', value: ({ remaining }) => remaining, align: 'right' },
  { head: 'unit', value: ({ unit }) => unit },
  { head: 'zone', value: ({ zone }) => zone },
  { head: 'enforced', value: ({ enforced }) => (enforced ? 'yes' : 'no') },
  { head: 'resets', value: ({ resetsAt }) => resetsAt },
];

const usedColumns: Column<ShownLimit>[] = [
  ...columns.slice(0, 3),
  { head: 'calls counted', value: ({ counted }) => counted, align: 'right' },
  ...columns.slice(3),
];

/** limits show, limits check: what is left, and whether a call would pass. Neither counts anything. Reports are in limit-reports.ts. */
export function addLimitCommands(program: Command, cli: Cli): void {
  const limits = program.command('limits').description('what may pass');
  whose(limits.command('show').description('what somebody has used of the limits'))
    .option('--csv', 'print CSV')
    .action(async (flags: Whose) => {
      const path = `/api/v1/limits?${query(flags, ['tenant', 'organisation', 'consumer', 'endpoint'])}`;
      const answer = await cli.ask<{ limits: ShownLimit[] }>('GET', path);
      const format = formatOf(flags);
      cli.print(format === 'json' ? JSON.stringify(answer, null, 2) : printRows(format, usedColumns, answer.limits));
    });
  whose(limits.command('check').description('say whether a call would pass now, and count nothing'))
    .option('--cost <units>', 'what it costs', '1')
    .action(async ({ json, cost, ...subject }: Whose & { cost: string }) => {
      const asks = [{ ...subject, cost: Number(cost), peek: true }];
      const body = JSON.stringify({ asks });
      const { decisions } = await cli.ask<{ decisions: Decided[] }>('POST', '/api/v1/limits/check', body);
      const decision = decisions[0]!;
      if (json) cli.print(JSON.stringify(decision, null, 2));
      else cli.print(`${verdict(decision)}\n${printRows('table', columns, decision.limits)}`);
      if (!decision.allowed) cli.failed();
    });
  addLimitReports(limits, cli);
}

interface Decided {
  readonly allowed: boolean;
  readonly reason: string;
  readonly binding: string | null;
  readonly freesAt: string | null;
  readonly wouldPass: number;
  readonly limits: ShownLimit[];
}

function verdict({ allowed, reason, binding, freesAt, wouldPass }: Decided): string {
  if (allowed) return `allowed; the tightest limit is ${binding ?? 'none'}`;
  const when = freesAt === null ? 'waiting does not help' : `it passes from ${freesAt} on`;
  return `denied (${reason}) by ${binding ?? 'no limit'}: ${when}; ${wouldPass} would pass now`;
}

function whose(command: Command): Command {
  return command
    .requiredOption('--tenant <tenant>', 'who calls')
    .option('--organisation <organisation>', 'of the tenant, where it is in one')
    .option('--consumer <consumer>', 'user, application or key')
    .option('--endpoint <endpoint>', "such as 'GET /v1/users/{id}'")
    .option('--json', 'print JSON');
}
