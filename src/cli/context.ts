import { Failure } from '../model/index.ts';
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

  async read(path: string): Promise<ReadableStream<Uint8Array>> {
    this.#connection ??= connect(this.config(), this.deps.openLocally);
    return (await this.#connection).read(path);
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

/** One clear line per problem: what, and what to do. */
export function failureLines(cause: unknown): string[] {
  if (!(cause instanceof Failure)) {
    const words = cause instanceof Error ? cause.message : String(cause);
    return [
      `taximeter: something went wrong: ${words.split('\n')[0]}. This is a fault in Taximeter; please report it.`,
    ];
  }
  const problems = cause.problems.map(({ line, message, path = '' }) => {
    // A path inside a document is part of the message already; a file of several is not.
    const file = path === '' || message.includes(path) ? '' : `${path}: `;
    return `taximeter: ${file}${line === undefined ? '' : `line ${line}: `}${message}`;
  });
  return [...problems, `taximeter: ${cause.message}. ${cause.todo}`];
}
