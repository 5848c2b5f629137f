import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError } from 'commander';
import type { DocumentsAnswer, ModelDifferenceAnswer } from '../../serve/contract/documents.ts';
import type { AllocateAnswer, CloseAnswer } from '../../serve/contract/ledger.ts';
import type { Cli } from '../context.ts';
import { parseFile } from '../parse.ts';
import { printRows, shortMoney } from '../print.ts';
import { readText } from '../read-text.ts';
import { addBillCommands } from './bill.ts';
import { addIngestCommand } from './ingest.ts';
import { addQuarantineCommands } from './quarantine.ts';

/** apply, ingest, quarantine, bill, allocate, close, parse: commands that bring something in or post something. */
export function addWorkCommands(program: Command, cli: Cli): void {
  program
    .command('apply')
    .description('check documents and store them as new versions')
    .requiredOption('-f, --file <file>', 'YAML or JSON with one or more documents; - for standard input')
    .option('--dry-run', 'only say what would change')
    .option('--why <text>', 'kept beside the versions, for the audit trail')
    .option('--json', 'print JSON')
    .action((flags: ApplyFlags) => apply(cli, flags));
  addIngestCommand(program, cli);
  addQuarantineCommands(program, cli);
  addBillCommands(program, cli);
  program
    .command('allocate')
    .description('share out everything that starts in a range, and post it; again is harmless')
    .requiredOption('--from <time>', 'a day or an instant, UTC')
    .requiredOption('--to <time>', 'not included')
    .option('--json', 'print JSON')
    .action(async (flags: { from: string; to: string; json?: boolean }) => {
      await cli.ask('POST', '/api/v1/settle');
      const body = JSON.stringify({ from: flags.from, to: flags.to });
      const answer = await cli.ask<AllocateAnswer>('POST', '/api/v1/allocate', body);
      const { slices, posted, reversed, unchanged, closed, rows } = answer;
      if (flags.json) cli.print(JSON.stringify(answer, null, 2));
      else
        cli.print(
          `${slices} slices: ${posted} posted, ${reversed} reversed, ${unchanged} unchanged, ${closed} closed; ${rows} ledger rows written.`,
        );
    });
  program
    .command('close')
    .description('close a billing month; from then on it never changes')
    .requiredOption('--period <month>', 'such as 2022-08')
    .option('--max-unattributed <share>', 'refuse when more of a bill is unattributed, such as 0.05', share)
    .option('--min-coverage <share>', 'refuse when fewer calls are measured, such as 0.9', share)
    .option('--json', 'print JSON')
    .action(async ({ json, ...asked }: CloseFlags) => {
      const answer = await cli.ask<CloseAnswer>('POST', '/api/v1/close', JSON.stringify({ ...asked, by: 'cli' }));
      for (const warning of answer.warnings) cli.warn(`warning: ${warning}`);
      if (json) cli.print(JSON.stringify(answer, null, 2));
      else cli.print(`${asked.period} is closed: ${answer.lines.length} bills, residual ${answer.residual}.`);
    });
  program
    .command('parse')
    .description('print one JSON object per log line; nothing is stored')
    .argument('<file>', '- for standard input')
    .option('--format <format>', 'auto, a format of docs/reference/log-formats.md, or pattern:... of a server', 'auto')
    .action((file: string, flags: { format: string }) =>
      parseFile(file, flags.format, { print: (text) => cli.print(text), warn: (text) => cli.warn(text) }),
    );
}

interface CloseFlags {
  period: string;
  maxUnattributed?: number;
  minCoverage?: number;
  json?: boolean;
}

function share(text: string): number {
  const number = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= 0 && number <= 1)) throw new InvalidArgumentError('It must be a number from 0 to 1.');
  return number;
}

interface ApplyFlags {
  file: string;
  dryRun?: boolean;
  why?: string;
  json?: boolean;
}

async function apply(cli: Cli, flags: ApplyFlags): Promise<void> {
  const body = await readText(flags.file);
  const asked = new URLSearchParams({ dryRun: String(flags.dryRun === true), by: userName(), why: flags.why ?? '' });
  const path = `/api/v1/documents?${asked.toString()}`;
  const answer = await cli.ask<DocumentsAnswer>('POST', path, body, 'application/yaml');
  if (flags.json) cli.print(JSON.stringify(answer, null, 2));
  else {
    for (const { kind, name, version, status } of answer.documents)
      cli.print(`${kind} ${name}: ${status}${flags.dryRun ? ' (dry run)' : ''}, version ${version}`);
    if (answer.difference) cli.print(differenceText(answer.difference));
  }
  for (const note of answer.notes) cli.warn(`note: ${note}`);
}

/** Who applies is the user of this machine, as far as it knows one. */
function userName(): string {
  try {
    return `${userInfo().username} (cli)`.slice(0, 100);
  } catch {
    return 'cli';
  }
}

const MOST_SHOWN = 20;

function differenceText({ from, to, slices, changed, rows, rowsLeftOut }: NonNullable<ModelDifferenceAnswer>): string {
  const head = `${changed} of ${slices} slices of open periods from ${from} to ${to} would be shared out otherwise.`;
  if (rows.length === 0) return `${head}\nNo amount would change.`;
  const shown = rows.slice(0, MOST_SHOWN);
  const table = printRows(
    'table',
    [
      { head: 'tenant', value: (row) => (row.account === 'tenant' ? row.tenant : `(${row.account})`) },
      { head: 'endpoint', value: (row) => row.endpoint },
      { head: 'before', value: (row) => shortMoney(row.before), align: 'right' },
      { head: 'after', value: (row) => shortMoney(row.after), align: 'right' },
      { head: 'difference', value: (row) => shortMoney(row.difference), align: 'right' },
      { head: 'currency', value: (row) => row.currency },
    ],
    shown,
  );
  const more = rows.length + rowsLeftOut - shown.length;
  return [head, table, ...(more > 0 ? [`${more} more rows: --json has ${rows.length} of them.`] : [])].join('\n');
}
