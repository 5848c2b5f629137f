import { Command, CommanderError } from 'commander';
import { addDoctorCommand } from './commands/doctor.ts';
import { addLedgerCommands } from './commands/ledger.ts';
import { addLimitCommands } from './commands/limits.ts';
import { addModelCommands } from './commands/models.ts';
import { addReportCommands } from './commands/reports.ts';
import { addRetentionCommands } from './commands/retention.ts';
import { addServeCommand } from './commands/serve.ts';
import { addSimulateCommand } from './commands/simulate.ts';
import { addWorkCommands } from './commands/work.ts';
import { Cli, type CliDeps, failureLines } from './context.ts';

/**
 * Runs one command.
 *
 * Takes  args: without node and script.
 * Gives  the exit code: 0 done, 1 refused or failed with one line per problem, 2 wrong usage.
 */
export async function runCli(args: readonly string[], deps: CliDeps): Promise<number> {
  const cli = new Cli(deps);
  const program = new Command('taximeter')
    .description('Counts every API call, says who made it and what it cost.')
    .version(deps.version)
    .option('--data <folder>', 'where the data is (default: TAXIMETER_DATA or ./taximeter-data)')
    .hook('preAction', (_, action) => cli.useData(action.optsWithGlobals<{ data?: string }>().data))
    .configureOutput({ writeOut: deps.out, writeErr: deps.err })
    .showHelpAfterError('Run taximeter --help to see how it is used.')
    .exitOverride();
  addServeCommand(program, cli);
  addWorkCommands(program, cli);
  addReportCommands(program, cli);
  addRetentionCommands(program, cli);
  addLedgerCommands(program, cli);
  addModelCommands(program, cli);
  addLimitCommands(program, cli);
  addSimulateCommand(program, cli);
  addDoctorCommand(program, cli);
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({ writeOut: deps.out, writeErr: deps.err });
    if (command !== program) command.option('--data <folder>', 'where the data is');
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return cli.exitCode;
  } catch (cause) {
    if (cause instanceof CommanderError) return cause.exitCode === 0 ? 0 : 2;
    for (const line of failureLines(cause)) deps.err(`${line}\n`);
    return 1;
  } finally {
    await cli.close();
  }
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}
