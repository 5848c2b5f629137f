import type { ServerResponse } from 'node:http';

/** An answer whose body is a text. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Sends an answer, unless whoever asked has gone away. */
export function sendAnswer({ status, headers, body }: Answer, response: ServerResponse): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
