import type { Server } from 'node:net';
import { fail } from '../model/index.ts';

/** How long a sender may take. */
export interface Patience {
  /** Until the head of a request is there. */
  readonly headMs: number;
  /** Until a body is there that is kept in memory meanwhile. */
  readonly bodyMs: number;
  /** Until something comes: more of a request, the next one, or somebody who reads the answer. */
  readonly idleMs: number;
}

export const PATIENCE: Patience = { headMs: 20_000, bodyMs: 300_000, idleMs: 120_000 };
export const MOST_CONNECTIONS = 2_000;

/** Makes a server listen. Fails  PORT_IN_USE. */
export function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      failed(cause.code === 'EADDRINUSE' ? fail('PORT_IN_USE', { host, port }, [], cause) : cause);
    });
    server.listen(port, host, () => done());
  });
}
