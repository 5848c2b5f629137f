import type { Command } from 'commander';
import type { RetentionAnswer, RetentionRunAnswer } from '../../serve/contract/retention.ts';
import type { Cli } from '../context.ts';
import { printRows } from '../print.ts';

type Kept = RetentionAnswer['kept'][number];
type LetGo = RetentionRunAnswer['letGo'][number];

/** retention: what is kept how long. */
export function addRetentionCommands(program: Command, cli: Cli): void {
  const retention = program.command('retention').description('what is kept, and for how long');
  retention
    .command('show', { isDefault: true })
    .description('what is kept, since when, how large it is, and what would go now')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const answer = await cli.ask<RetentionAnswer>('GET', '/api/v1/retention');
      cli.print(json ? JSON.stringify(answer, null, 2) : printRows<Kept>('table', keptColumns, answer.kept));
    });
  retention
    .command('run')
    .description('let go of what is older than its period now')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const answer = await cli.ask<RetentionRunAnswer>('POST', '/api/v1/retention/run');
      cli.print(json ? JSON.stringify(answer, null, 2) : answer.letGo.map(sentence).join('\n') || 'Nothing is due.');
      if (answer.letGo.some(({ keptBecause }) => keptBecause !== '')) cli.failed();
    });
}

const keptColumns = [
  { head: 'what', value: ({ kind }: Kept) => kind },
  { head: 'kept', value: ({ days }: Kept) => (days === null ? 'for ever' : `${days} days`) },
  { head: 'since', value: ({ oldest }: Kept) => oldest },
  { head: 'rows', value: ({ rows }: Kept) => rows, align: 'right' as const },
  { head: 'MB on disk', value: ({ bytes }: Kept) => (bytes / 1e6).toFixed(1), align: 'right' as const },
  { head: 'would go before', value: ({ wouldGoUntil }: Kept) => wouldGoUntil },
  { head: 'rows to go', value: ({ wouldGoRows }: Kept) => wouldGoRows, align: 'right' as const },
];

function sentence({ kind, keptSince, rows, keptBecause }: LetGo): string {
  if (keptBecause !== '') return `${kind}: nothing went: ${keptBecause}.`;
  return `${kind}: ${rows} rows went; kept since ${keptSince}.`;
}
