import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Command, InvalidArgumentError } from 'commander';
import { fail } from '../../model/index.ts';
import type { AllocateAnswer, BillAnswer, CloseAnswer, DocumentsAnswer } from '../../serve/contract/contract.ts';
import type { Cli } from '../context.ts';
import { parseFile } from '../parse.ts';
import { formatOf, printRows, shortMoney } from '../print.ts';
import { fileStream } from '../read-input.ts';
import { sendBill } from '../send-bill.ts';
import { addIngestCommand } from './ingest.ts';
import { addQuarantineCommands } from './quarantine.ts';

/** apply, ingest, quarantine, bill import, allocate, close, parse: commands that bring something in or post something. */
export function addWorkCommands(program: Command, cli: Cli): void {
  program
    .command('apply')
    .description('check documents and store them as new versions')
    .requiredOption('-f, --file <file>', 'YAML or JSON with one or more documents; - for standard input')
    .option('--dry-run', 'only say what would change')
    .option('--json', 'print JSON')
    .action((flags: { file: string; dryRun?: boolean; json?: boolean }) => apply(cli, flags));
  addIngestCommand(program, cli);
  addQuarantineCommands(program, cli);
  const bill = program.command('bill').description('bills of cloud providers');
  bill
    .command('import')
    .description('import one whole export; it replaces what was imported for its accounts and billing periods')
    .argument('<files...>')
    .option('--format <format>', 'auto or focus', 'auto')
    .option('--replace', 'also where the new export is smaller')
    .option('--json', 'print JSON')
    .action((files: string[], flags: { format: string; replace?: boolean; json?: boolean }) =>
      importBill(cli, files, flags),
    );
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

async function apply(cli: Cli, flags: { file: string; dryRun?: boolean; json?: boolean }): Promise<void> {
  const body = await readText(flags.file);
  const path = `/api/v1/documents?dryRun=${flags.dryRun === true}&by=cli`;
  const answer = await cli.ask<DocumentsAnswer>('POST', path, body, 'application/yaml');
  if (flags.json) cli.print(JSON.stringify(answer, null, 2));
  else
    for (const { kind, name, version, status } of answer.documents)
      cli.print(`${kind} ${name}: ${status}${flags.dryRun ? ' (dry run)' : ''}, version ${version}`);
}

async function readText(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (cause) {
    throw fail('FILE_UNREADABLE', { file, reason: (cause as NodeJS.ErrnoException).code }, [], cause);
  }
}

async function importBill(
  cli: Cli,
  files: readonly string[],
  flags: { format: string; replace?: boolean; json?: boolean },
): Promise<void> {
  if (!['auto', 'focus'].includes(flags.format)) throw fail('FORMAT_UNKNOWN', { format: flags.format });
  for (const file of files) await readable(file);
  const parts = files.map((file) => ({ name: basename(file), open: () => fileStream(file) }));
  const answer = await sendBill(cli, parts, { format: flags.format, replace: flags.replace === true });
  cli.print(flags.json ? JSON.stringify(answer, null, 2) : billText(answer));
}

async function readable(file: string): Promise<void> {
  const { access, constants, stat } = await import('node:fs/promises');
  try {
    await access(file, constants.R_OK);
    if (!(await stat(file)).isFile()) throw fail('FILE_UNREADABLE', { file, reason: 'it is not a file' });
  } catch (cause) {
    throw (cause as { code?: string }).code === 'FILE_UNREADABLE'
      ? cause
      : fail('FILE_UNREADABLE', { file, reason: (cause as NodeJS.ErrnoException).code }, [], cause);
  }
}

function billText(answer: BillAnswer): string {
  const groups = printRows(
    formatOf({}) as 'table',
    [
      { head: 'source', value: (group) => group.source },
      { head: 'account', value: (group) => group.account },
      { head: 'billing period', value: (group) => group.billingStart.slice(0, 10) },
      { head: 'rows', value: (group) => group.rows, align: 'right' },
      { head: 'billed', value: (group) => shortMoney(group.billed, 12), align: 'right' },
      { head: 'effective', value: (group) => shortMoney(group.effective, 12), align: 'right' },
      { head: 'currency', value: (group) => group.currency },
      { head: 'status', value: (group) => group.status },
      { head: 'effective before', value: (group) => shortMoney(group.previousEffective, 12), align: 'right' },
    ],
    answer.groups,
  );
  const services = printRows(
    'table',
    [
      { head: 'category', value: (service) => service.serviceCategory },
      { head: 'service', value: (service) => service.serviceName },
      { head: 'billed', value: (service) => shortMoney(service.billed, 6), align: 'right' },
      { head: 'effective', value: (service) => shortMoney(service.effective, 6), align: 'right' },
      { head: 'currency', value: (service) => service.currency },
    ],
    answer.byService,
  );
  const notes = answer.notes.map((note) => `note: ${note}`);
  return [`${answer.rows} rows of ${answer.files.length} files (${answer.format})`, groups, services, ...notes].join(
    '\n',
  );
}
