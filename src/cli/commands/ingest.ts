import type { Command } from 'commander';
import { Failure, type FailureCode, fail } from '../../model/index.ts';
import { type Cli, failureLines } from '../context.ts';
import { findFiles } from '../files/find-files.ts';
import { follow } from '../follow/follow.ts';
import { type IngestResult, ingestFile } from '../ingest.ts';
import { checkFormat, type LogFlags } from '../log-query.ts';

interface IngestFlags extends LogFlags {
  readonly include: readonly string[];
  readonly recursive?: boolean;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** What is wrong with one file and not with the next. */
const ofOneFile: readonly FailureCode[] = [
  'FILE_UNREADABLE',
  'FILE_DAMAGED',
  'FORMAT_UNKNOWN',
  'BODY_MALFORMED',
  'BODY_TOO_LARGE',
];

/** ingest: reads logs and OTLP from files, once or as they grow. */
export function addIngestCommand(program: Command, cli: Cli): void {
  program
    .command('ingest')
    .description('read access logs, OTLP JSON lines or OTLP protobuf; plain, .gz or .zst')
    .argument('<files...>', 'files, folders, globs; - for standard input')
    .option('--format <format>', 'auto, otlp-jsonl, otlp-proto, or a format of docs/reference/log-formats.md', 'auto')
    .option('--tenant-from <rule>', 'for logs: fixed:NAME, user, host, path:N')
    .option('--service <name>', 'for logs: the service that wrote them', 'access-log')
    .option('--host <name>', 'for logs: which of several machines wrote them')
    .option(
      '--include <glob>',
      'of folders only these names; may be repeated',
      (glob, globs) => [...globs, glob],
      [] as string[],
    )
    .option('--recursive', 'also folders within folders')
    .option('--follow', 'go on as files grow, also through rotation, until it is stopped')
    .option('--json', 'print JSON')
    .action((files: string[], flags: IngestFlags) =>
      flags.follow ? followAll(cli, files, flags) : ingestAll(cli, files, flags),
    );
}

async function ingestAll(cli: Cli, args: readonly string[], flags: IngestFlags): Promise<void> {
  checkFormat(flags.format);
  const results: IngestResult[] = [];
  for (const file of await filesOf(cli, args, flags)) {
    const result = await unlessOfOneFile(cli, () => ingestFile(cli, file, flags));
    if (result === null) continue;
    results.push(result);
    tell(cli, result, flags);
  }
  if (results.length > 0) await cli.ask('POST', '/api/v1/settle');
  if (flags.json) cli.print(JSON.stringify(results, null, 2));
}

/** A file that is named twice, as by itself and by its folder, is read once. */
async function filesOf(cli: Cli, args: readonly string[], flags: IngestFlags): Promise<Set<string>> {
  const choice = { include: flags.include, recursive: flags.recursive === true };
  const files = new Set<string>();
  for (const arg of args)
    for (const file of (await unlessOfOneFile(cli, () => findFiles(arg, choice))) ?? []) files.add(file);
  return files;
}

/** What is wrong with a file is told, and the others are read all the same. */
async function unlessOfOneFile<Result>(cli: Cli, work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Failure) || !ofOneFile.includes(cause.code)) throw cause;
    for (const line of failureLines(cause)) cli.warn(line);
    cli.failed();
    return null;
  }
}

function tell(cli: Cli, result: IngestResult, flags: IngestFlags): void {
  const { file, format, accepted, refused } = result;
  if (!flags.json) cli.print(`${file}: ${format}, ${accepted} accepted${refused > 0 ? `, ${refused} refused` : ''}.`);
  for (const { line, reason } of result.malformed) cli.warn(`taximeter: ${file}: line ${line}: ${reason}`);
  tellRefused(cli, result);
}

function tellRefused(cli: Cli, { file, refused, reasons }: IngestResult): void {
  if (refused === 0) return;
  const counts = Object.entries(reasons).map(([reason, count]) => `${count} ${reason}`);
  cli.warn(
    `taximeter: ${file}: refused ${counts.join(', ')}; everything else was kept. See them with: taximeter quarantine`,
  );
  cli.failed();
}

async function followAll(cli: Cli, files: readonly string[], flags: IngestFlags): Promise<void> {
  if (files.includes('-'))
    throw fail('FILE_UNREADABLE', { file: 'standard input', reason: 'it is read as it comes, without --follow' });
  const { folder } = cli.config();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const choice = { include: flags.include, recursive: flags.recursive === true };
  const say = (text: string) => cli.warn(text);
  const { results, hasFailed } = await follow({ folder, files, choice, flags, signal: stop.signal, say });
  if (hasFailed) cli.failed();
  for (const result of results) {
    const { file, format, accepted, refused } = result;
    if (!flags.json) cli.print(`${file}: ${format}, ${accepted} accepted${refused > 0 ? `, ${refused} refused` : ''}.`);
    tellRefused(cli, result);
  }
  if (flags.json) cli.print(JSON.stringify(results, null, 2));
}
