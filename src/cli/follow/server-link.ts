import { fail } from '../../model/index.ts';
import type { LinesAnswer } from '../../serve/contract/lines.ts';
import { runningServer } from '../../store/front.ts';
import { type Connection, connectRunning } from '../connect.ts';

/** Sends lines to the server that holds a data folder now; after a restart it is found anew. */
export class ServerLink {
  readonly #folder: string;
  #connection: Connection | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Fails SERVER_UNREACHABLE when none runs, and as the API does. */
  async send(path: string, body: Uint8Array): Promise<LinesAnswer> {
    this.#connection ??= connectRunning(runningServer(this.#folder));
    if (this.#connection === null)
      throw fail('SERVER_UNREACHABLE', { folder: this.#folder, reason: 'taximeter serve does not run on it' });
    try {
      return await this.#connection.ask<LinesAnswer>('POST', path, body, 'text/plain');
    } catch (cause) {
      await this.close();
      throw cause;
    }
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = null;
    await connection?.close();
  }
}
