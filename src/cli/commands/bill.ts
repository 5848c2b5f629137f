import type { Command } from 'commander';
import { billFormats, exportFiles } from '../../bill/front.ts';
import { fail } from '../../model/index.ts';
import type { BillAnswer, BillCheck, BillReportAnswer, BillsAnswer, ExportAnswer } from '../../serve/contract/bills.ts';
import type { Cli } from '../context.ts';
import { type Column, formatOf, printRows, shortMoney } from '../print.ts';
import { fileStream } from '../read-input.ts';
import { type BillPart, checkBill, sendBill } from '../send-bill.ts';

const FORMATS = `auto, ${billFormats.join(', ')}`;

interface BillFlags {
  format: string;
  replace?: boolean;
  json?: boolean;
}

/** bill import, bill check, bill show. */
export function addBillCommands(program: Command, cli: Cli): void {
  const bill = program.command('bill').description('bills of cloud providers and others');
  bill
    .command('import')
    .description('import one whole export; it replaces what was imported for its accounts and billing periods')
    .argument('<files...>', 'files, folders, or manifests with what they name')
    .option('--format <format>', FORMATS, 'auto')
    .option('--replace', 'also where the new export is smaller, or overlaps another one')
    .option('--json', 'print JSON')
    .action(async (files: string[], flags: BillFlags) => {
      const options = { format: known(flags.format), replace: flags.replace === true };
      const answer = await sendBill(cli, await parts(files), options);
      cli.print(flags.json ? JSON.stringify(answer, null, 2) : importText(answer));
    });
  bill
    .command('check')
    .description('hold one whole export against the rules of FOCUS; nothing is stored')
    .argument('<files...>', 'as for import')
    .option('--format <format>', FORMATS, 'auto')
    .option('--json', 'print JSON')
    .action(async (files: string[], flags: BillFlags) => {
      const answer = await checkBill(cli, await parts(files), { format: known(flags.format) });
      cli.print(flags.json ? JSON.stringify(answer, null, 2) : exportText(answer));
      if (answer.problemCount > 0) cli.failed();
    });
  bill
    .command('show')
    .description('list the bills in force, or show how one import held against the rules of FOCUS')
    .argument('[import]', 'the number of an import')
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action((importId: string | undefined, flags: { json?: boolean; csv?: boolean }) => show(cli, importId, flags));
}

function known(format: string): string {
  if (format !== 'auto' && !(billFormats as readonly string[]).includes(format))
    throw fail('FORMAT_UNKNOWN', { format });
  return format;
}

async function parts(paths: readonly string[]): Promise<BillPart[]> {
  const files = await exportFiles(paths);
  return files.map(({ name, path }) => ({ name, open: () => fileStream(path) }));
}

async function show(cli: Cli, importId: string | undefined, flags: { json?: boolean; csv?: boolean }): Promise<void> {
  if (importId !== undefined) {
    const answer = await cli.ask<BillReportAnswer>('GET', `/api/v1/bills/${encodeURIComponent(importId)}`);
    cli.print(
      flags.json ? JSON.stringify(answer, null, 2) : [`format ${answer.format}`, checkText(answer.check)].join('\n'),
    );
    return;
  }
  const { bills } = await cli.ask<BillsAnswer>('GET', '/api/v1/bills');
  const format = formatOf(flags);
  cli.print(
    format === 'json' ? JSON.stringify(bills, null, 2) : printRows(format, billColumns(format === 'csv'), bills),
  );
}

type Shown = BillsAnswer['bills'][number];

function billColumns(isExact: boolean): Column<Shown>[] {
  const amount = (text: string) => (isExact ? text : shortMoney(text, 6));
  return [
    { head: 'import', value: (row) => row.importId },
    { head: 'format', value: (row) => row.format },
    { head: 'source', value: (row) => row.source },
    { head: 'account', value: (row) => row.account },
    { head: 'billing period', value: (row) => row.billingStart.slice(0, 10) },
    { head: 'rows', value: (row) => row.rows, align: 'right' },
    { head: 'billed', value: (row) => amount(row.billed), align: 'right' },
    { head: 'effective', value: (row) => amount(row.effective), align: 'right' },
    { head: 'currency', value: (row) => row.currency },
    { head: 'imported', value: (row) => row.importedAt.slice(0, 19) },
  ];
}

function importText(answer: BillAnswer): string {
  const head = `${answer.rows} rows of ${answer.files.length} files (${answer.format})`;
  const groups = printRows(
    'table',
    [
      { head: 'source', value: (group) => group.source },
      { head: 'account', value: (group) => group.account },
      { head: 'billing period', value: (group) => group.billingStart.slice(0, 10) },
      { head: 'rows', value: (group) => group.rows, align: 'right' },
      { head: 'billed', value: (group) => moved(group.previousBilled, group.billed), align: 'right' },
      { head: 'effective', value: (group) => moved(group.previousEffective, group.effective), align: 'right' },
      { head: 'currency', value: (group) => group.currency },
      { head: 'status', value: (group) => group.status },
    ],
    answer.groups,
  );
  return [
    head,
    groups,
    ...totals(answer),
    checkText(answer.check),
    ...answer.notes.map((note) => `note: ${note}`),
  ].join('\n');
}

/** `before -> after`, or only the amount where it did not move. */
function moved(before: string | null, after: string): string {
  const now = shortMoney(after, 12);
  return before === null || before === after ? now : `${shortMoney(before, 12)} -> ${now}`;
}

function totals({ byService, byCategory }: Pick<BillAnswer, 'byService' | 'byCategory'>): string[] {
  const amounts = [
    { head: 'billed', value: (row: { billed: string }) => shortMoney(row.billed, 6), align: 'right' as const },
    { head: 'effective', value: (row: { effective: string }) => shortMoney(row.effective, 6), align: 'right' as const },
    { head: 'currency', value: (row: { currency: string }) => row.currency },
  ];
  const services = [
    { head: 'category', value: (row: BillAnswer['byService'][number]) => row.serviceCategory },
    { head: 'service', value: (row: BillAnswer['byService'][number]) => row.serviceName },
    ...amounts,
  ];
  const categories = [
    { head: 'charge category', value: (row: BillAnswer['byCategory'][number]) => row.chargeCategory },
    { head: 'rows', value: (row: BillAnswer['byCategory'][number]) => row.rows, align: 'right' as const },
    ...amounts,
  ];
  return [printRows('table', services, byService), printRows('table', categories, byCategory)];
}

function exportText(answer: ExportAnswer): string {
  const groups = printRows(
    'table',
    [
      { head: 'source', value: (group) => group.source },
      { head: 'account', value: (group) => group.account },
      { head: 'rows', value: (group) => group.rows, align: 'right' },
      { head: 'billed', value: (group) => shortMoney(group.billed, 12), align: 'right' },
      { head: 'effective', value: (group) => shortMoney(group.effective, 12), align: 'right' },
      { head: 'currency', value: (group) => group.currency },
    ],
    answer.groups,
  );
  const problems = answer.problems.map(
    ({ message, path = '', line }) => `refused: ${path}${line === undefined ? '' : ` line ${line}`}: ${message}`,
  );
  const verdict =
    answer.problemCount === 0 ? 'It can be imported.' : `It would be refused: ${answer.problemCount} problems.`;
  const notes = answer.notes.map((note) => `note: ${note}`);
  const head = `${answer.rows} rows of ${answer.files.length} files (${answer.format})`;
  return [head, groups, ...totals(answer), checkText(answer.check), ...notes, ...problems, verdict].join('\n');
}

function checkText({ findings, commitments, unchecked }: BillCheck): string {
  const found = findings.map(({ severity, message, rows, examples, rule }) => {
    const where =
      examples.length === 0 ? '' : ` (${examples[0]!.file} line ${examples.map(({ line }) => line).join(', ')})`;
    return `${severity}: ${rule}: ${rows} ${message}${where}`;
  });
  const differing = commitments.filter((each) => /[1-9]/.test(each.difference) && /[1-9]/.test(each.purchased));
  const shown = differing.map(
    ({ commitment, purchased, used, unused, currency }) =>
      `commitment ${commitment}: bought ${shortMoney(purchased)}, used ${shortMoney(used)}, unused ${shortMoney(unused)} ${currency}`,
  );
  const beyond = unchecked > 0 ? [`${unchecked} rows were beyond what the identities are kept for`] : [];
  return [...found, ...shown, ...beyond].join('\n') || 'every rule of FOCUS that is looked at holds';
}
