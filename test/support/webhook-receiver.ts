import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface TakenPost {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebhookReceiver {
  readonly url: string;
  readonly posts: TakenPost[];
  /** How it answers from now on. */
  answer: (response: ServerResponse) => void;
  /** Resolves when the next message has come. */
  next(): Promise<TakenPost>;
  close(): Promise<void>;
}

/** Starts an HTTP server on loopback that keeps what is posted to it. */
export async function startReceiver(): Promise<WebhookReceiver> {
  const posts: TakenPost[] = [];
  const waiting: ((post: TakenPost) => void)[] = [];
  const receiver: WebhookReceiver = {
    ...{ url: '', posts },
    answer: (response) => void response.writeHead(204).end(),
    next: () => new Promise((done) => waiting.push(done)),
    close: async () => undefined,
  };
  const server = createServer(async (request, response) => {
    const post = { path: request.url ?? '', headers: request.headers, body: await text(request) };
    posts.push(post);
    receiver.answer(response);
    for (const done of waiting.splice(0)) done(post);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}
