import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fullScene, type Reply, refused, type Scene } from './scene.ts';

const DIST = new URL('../../../web/dist/', import.meta.url).pathname;
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

export interface FixtureServer {
  readonly url: string;
  /** Replace single answers of it; `reset` puts the full shop back. */
  scene: Scene;
  reset(): void;
  close(): Promise<void>;
}

/** The built dashboard and answers of a made-up shop, under the content security policy of the real server. */
export async function startFixtureServer(port = 0): Promise<FixtureServer> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fixture');
    if (url.pathname.startsWith('/api/')) sendReply(response, replyFor(fixture.scene, url));
    else sendFile(request, response, url.pathname);
  });
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  const fixture: FixtureServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    scene: fullScene(),
    reset: () => {
      fixture.scene = fullScene();
    },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  return fixture;
}

function replyFor(scene: Scene, url: URL): Reply {
  const resource = url.pathname.replace('/api/v1/', '');
  if (resource === 'status') return scene.status();
  if (resource === 'cost' || resource === 'usage' || resource === 'reconcile') return scene[resource](url.searchParams);
  return refused(404, 'ROUTE_UNKNOWN', 'No such route', url.pathname);
}

function sendReply(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
  response.end(JSON.stringify(body));
}

function sendFile(_: IncomingMessage, response: ServerResponse, path: string): void {
  const file = join(DIST, normalize(path));
  const isFile = extname(path) !== '' && existsSync(file);
  const served = isFile ? file : join(DIST, 'index.html');
  response.writeHead(200, {
    'content-type': TYPES[extname(served)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
  });
  response.end(readFileSync(served));
}
