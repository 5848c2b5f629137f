import type { Command } from 'commander';
import type { Cli } from '../context.ts';
import type { SimulateFlags } from '../simulate.ts';

/** simulate: an API with tenants, endpoints, traffic and a bill, the same for the same seed. */
export function addSimulateCommand(program: Command, cli: Cli): void {
  program
    .command('simulate')
    .description('make seeded traffic and its bill: as files, or sent through the receivers and imports')
    .option('--seed <seed>', 'the same seed gives the same bytes', '1')
    .option('--start <time>', 'whole UTC hour (default: the last days of one month that are over)')
    .option('--days <days>', 'how long', '7')
    .option('--tenants <count>', 'how many customers', '12')
    .option('--endpoints <count>', 'how many endpoints', '20')
    .option('--calls-per-hour <count>', 'on average', '320')
    .option('--out <folder>', 'write traces.jsonl.gz, metrics.jsonl.gz, bill.csv and model.yaml there')
    .option('--send', 'send it to Taximeter, and allocate')
    .action(async (flags: SimulateFlags, command: Command) => {
      if (flags.out === undefined && !flags.send) command.error('error: give --out <folder> or --send');
      const { simulate } = await import('../simulate.ts');
      await simulate(cli, flags);
    });
}
