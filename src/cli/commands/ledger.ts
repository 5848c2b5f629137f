import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { type Command, InvalidArgumentError } from 'commander';
import { fail } from '../../model/index.ts';
import type { ChargebackAnswer, StatementAnswer } from '../../serve/contract/ledger.ts';
import type { Cli } from '../context.ts';
import { type Column, printRows } from '../print.ts';
import { query } from './reports.ts';

/** ledger, statement, chargeback: what leaves the ledger, and how it is checked. */
export function addLedgerCommands(program: Command, cli: Cli): void {
  const ledger = program.command('ledger').description('the books: export and check them');
  ledger
    .command('export')
    .description('write the books of a month as lines of JSON')
    .requiredOption('--period <month>', 'such as 2022-08')
    .option('--out <file>', 'into this file; otherwise to standard output')
    .action((flags: { period: string; out?: string }) =>
      write(cli, `/api/v1/ledger?${query(flags, ['period'])}`, flags.out),
    );
  ledger
    .command('verify')
    .description('check an exported ledger; needs no data folder')
    .argument('<file>')
    .option('--seal <hash>', 'a hash that the chain must have come by')
    .option('--json', 'print JSON')
    .action((file: string, flags: { seal?: string; json?: boolean }) => verify(cli, file, flags));
  ledger
    .command('focus')
    .description('write the charges of a month split over tenants, as FOCUS 1.3')
    .requiredOption('--period <month>', 'such as 2022-08')
    .option('--by <taker>', 'tenant or endpoint', oneOf('tenant', 'endpoint'), 'tenant')
    .option('--out <file>', 'into this file; otherwise to standard output')
    .action((flags: { period: string; by: string; out?: string }) =>
      write(cli, `/api/v1/allocated-charges?${query(flags, ['period', 'by'])}`, flags.out),
    );
  program
    .command('statement')
    .description('what one tenant owes for a month')
    .requiredOption('--tenant <tenant>', 'whose')
    .requiredOption('--period <month>', 'such as 2022-08')
    .option('--html', 'write a page that can be printed')
    .option('--csv', 'print CSV')
    .option('--json', 'print JSON')
    .option('--out <file>', 'into this file; otherwise to standard output')
    .action((flags: StatementFlags) => statement(cli, flags));
  program
    .command('chargeback')
    .description('what every tenant owes for a month')
    .requiredOption('--period <month>', 'such as 2022-08')
    .option(
      '--view <view>',
      'chargeback, or showback with what nobody owes',
      oneOf('chargeback', 'showback'),
      'chargeback',
    )
    .option('--by <taker>', 'tenant or endpoint', oneOf('tenant', 'endpoint'), 'tenant')
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action((flags: ChargebackFlags) => chargeback(cli, flags));
}

interface StatementFlags {
  tenant: string;
  period: string;
  html?: boolean;
  csv?: boolean;
  json?: boolean;
  out?: string;
}

interface ChargebackFlags {
  period: string;
  view: string;
  by: string;
  json?: boolean;
  csv?: boolean;
}

function oneOf(...known: readonly string[]): (text: string) => string {
  return (text) => {
    if (known.includes(text)) return text;
    throw new InvalidArgumentError(`It must be ${known.join(' or ')}.`);
  };
}

/** Writes an export as it comes: it may be larger than memory. */
async function write(cli: Cli, path: string, out: string | undefined): Promise<void> {
  const bytes = Readable.fromWeb((await cli.read(path)) as NodeReadableStream);
  try {
    if (out === undefined) for await (const text of bytes.setEncoding('utf8')) cli.deps.out(text as string);
    else await pipeline(bytes, createWriteStream(out, { mode: 0o600 }));
  } catch (cause) {
    const { code, syscall } = cause as NodeJS.ErrnoException;
    throw syscall === 'open' ? fail('FILE_UNREADABLE', { file: out, reason: code }, [], cause) : cause;
  }
}

interface Verification {
  readonly period: string;
  readonly blocks: number;
  readonly postings: number;
  readonly shares: number;
  readonly hash: string;
  readonly problems: readonly string[];
}

/** The program that anybody can run without Taximeter is the one that checks here. */
async function verify(cli: Cli, file: string, flags: { seal?: string; json?: boolean }): Promise<void> {
  const program = new URL('../../../bin/taximeter-verify.js', import.meta.url).href;
  const { verifyLedger } = (await import(program)) as {
    verifyLedger: (path: string, options: { seal?: string }) => Promise<Verification>;
  };
  const result = await verifyLedger(file, flags.seal === undefined ? {} : { seal: flags.seal }).catch(
    (cause: unknown) => {
      throw fail('FILE_UNREADABLE', { file, reason: (cause as NodeJS.ErrnoException).code }, [], cause);
    },
  );
  const { period, blocks, postings, shares, hash, problems } = result;
  for (const problem of problems) cli.warn(problem);
  if (problems.length > 0) cli.failed();
  if (flags.json) cli.print(JSON.stringify(result, null, 2));
  else if (problems.length === 0)
    cli.print(`${period}: ${blocks} blocks, ${postings} postings, ${shares} shares; ${hash}`);
}

async function statement(cli: Cli, flags: StatementFlags): Promise<void> {
  const path = `/api/v1/statement?${query(flags, ['tenant', 'period'])}`;
  if (flags.html) return write(cli, `${path}&format=html`, flags.out);
  if (flags.csv) return write(cli, `${path}&format=csv`, flags.out);
  if (flags.json) return write(cli, `${path}&format=json`, flags.out);
  const answer = await cli.ask<StatementAnswer>('GET', path);
  const totals = answer.totals.map(({ amount, currency }) => `${amount} ${currency}`).join(', ');
  cli.print(
    `${linesTable('table', answer.lines)}\n${answer.tenant} ${answer.period}, ${answer.state}: ${totals || 'nothing owed'}`,
  );
}

async function chargeback(cli: Cli, flags: ChargebackFlags): Promise<void> {
  const answer = await cli.ask<ChargebackAnswer>('GET', `/api/v1/chargeback?${query(flags, ['period', 'view', 'by'])}`);
  if (flags.json) return cli.print(JSON.stringify(answer, null, 2));
  const table = linesTable(flags.csv ? 'csv' : 'table', answer.lines);
  const totals = answer.totals.map(({ amount, currency }) => `total ${amount} ${currency}`);
  cli.print(flags.csv ? table : [table, ...totals].join('\n'));
}

function linesTable(format: 'table' | 'csv', lines: ChargebackAnswer['lines']): string {
  const names = ['ledger', 'tenant', 'source', 'account', 'pool', 'kind', 'endpoint'] as const;
  const columns: Column<ChargebackAnswer['lines'][number]>[] = [
    ...names.map((name) => ({ head: name, value: (line: ChargebackAnswer['lines'][number]) => line[name] })),
    { head: 'amount', value: (line) => line.amount, align: 'right' },
    { head: 'corrections', value: (line) => line.corrections, align: 'right' },
    { head: 'currency', value: (line) => line.currency },
    { head: 'state', value: (line) => line.state },
  ];
  return printRows(format, columns, lines);
}
