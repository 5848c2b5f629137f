import { Command, CommanderError } from 'commander';
import { Failure } from '../model/index.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addReportCommands } from './commands/reports.ts';
import { addServeCommand } from './commands/serve.ts';
import { addSimulateCommand } from './commands/simulate.ts';
import { addWorkCommands } from './commands/work.ts';
import { type Config, readConfig } from './config.ts';
import { type Connection, connect, type OpenLocally } from './connect.ts';

/** What main.ts gives to the commands. */
export interface CliDeps {
  readonly version: string;
  readonly environment: Record<string, string | undefined>;
  readonly openLocally: OpenLocally;
  /** Opens the house and its listeners; gives how to stop them. */
  readonly serve: (config: Config) => Promise<{ readonly url: string; readonly stop: () => Promise<void> }>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** What a command works with. */
export class Cli {
  readonly deps: CliDeps;
  exitCode = 0;
  #dataFlag: string | undefined;
  #connection: Promise<Connection> | null = null;

  constructor(deps: CliDeps) {
    this.deps = deps;
  }

  useData(folder: string | undefined): void {
    this.#dataFlag = folder;
  }

  config(): Config {
    const config = readConfig(this.deps.environment);
    return this.#dataFlag === undefined ? config : { ...config, folder: this.#dataFlag };
  }

  async ask<Answer>(...request: Parameters<Connection['ask']>): Promise<Answer> {
    this.#connection ??= connect(this.config(), this.deps.openLocally);
    return (await this.#connection).ask<Answer>(...request);
  }

  async send(...request: Parameters<Connection['send']>): Promise<void> {
    this.#connection ??= connect(this.config(), this.deps.openLocally);
    await (await this.#connection).send(...request);
  }

  print(text: string): void {
    this.deps.out(`${text}\n`);
  }

  warn(text: string): void {
    this.deps.err(`${text}\n`);
  }

  failed(): void {
    this.exitCode = 1;
  }

  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => null);
    await connection?.close();
  }
}

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

/** One clear line per problem: what, and what to do. */
export function failureLines(cause: unknown): string[] {
  if (!(cause instanceof Failure)) {
    const words = cause instanceof Error ? cause.message : String(cause);
    return [
      `taximeter: something went wrong: ${words.split('\n')[0]}. This is a fault in Taximeter; please report it.`,
    ];
  }
  const problems = cause.problems.map(
    ({ line, message }) => `taximeter: ${line === undefined ? '' : `line ${line}: `}${message}`,
  );
  return [...problems, `taximeter: ${cause.message}. ${cause.todo}`];
}
