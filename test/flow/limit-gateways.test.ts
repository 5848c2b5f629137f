import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApi } from '../../src/serve/index.ts';
import { describeWith, haproxy, nginx } from '../support/available.ts';
import { freePort, startChild } from '../support/child-server.ts';
import { repository } from '../support/data.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder('gateways');
let house: ListeningHouse;
let nowMs = Date.UTC(2026, 5, 1);
// What stands behind the gateway: says what reached it.
const upstream = createServer((request, response) => response.end(`${request.method} ${request.url}`));
beforeAll(async () => {
  house = await openListeningHouse(1 << 20, '', () => new Date(nowMs));
  const api = createApi(house.house, { pages: '' });
  const limits = '[{ id: minute, amount: 5, window: { fixed: 60s } }]';
  const spec = `{ match: { endpoints: ['GET /v1/*'] }, limits: ${limits} }`;
  const body = `apiVersion: taximeter/v1\nkind: LimitPolicy\nmetadata: { name: gate }\nspec: ${spec}\n`;
  await api(new Request('http://localhost/api/v1/documents', { method: 'POST', body }));
  await new Promise<void>((done) => upstream.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  upstream.close();
  await house.close();
  folder.remove();
});

const upstreamPort = () => (upstream.address() as AddressInfo).port;

/** The configuration that the guide shows, with the ports of this test. */
function fromGuide(page: string, language: string, ports: Record<string, number>): string {
  const guide = readFileSync(join(repository, 'docs/guides', page), 'utf8');
  const block = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(guide)![1]!;
  return Object.entries(ports).reduce((text, [shown, port]) => text.replaceAll(shown, String(port)), block);
}

/** Calls of a client that would like to be somebody else, or to call something else, each time. */
async function statuses(port: number, tenant: string, calls: number): Promise<(number | string | null)[][]> {
  const seen = [];
  for (let call = 0; call < calls; call++) {
    const own = { 'x-taximeter-organisation': `o${call}`, 'x-taximeter-endpoint': 'GET /x', 'x-taximeter-cost': '0' };
    const path = { 'x-forwarded-uri': `/x${call}`, 'x-original-uri': `/x${call}`, 'x-forwarded-method': 'PUT' };
    const headers = { 'x-api-key': tenant, ...own, ...path };
    const answer = await fetch(`http://127.0.0.1:${port}/v1/users/7?x=1`, { headers });
    seen.push([answer.status, answer.headers.get('retry-after'), (await answer.text()).slice(0, 15)]);
  }
  return seen;
}

const passes = [200, null, 'GET /v1/users/7'];

async function isUp(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/`).catch(() => null)) !== null;
}

/** Five calls a minute pass the gateway, the others are told when; another tenant has calls of its own. */
async function expectLimits(command: string, args: readonly string[], port: number): Promise<void> {
  nowMs += 60_000;
  const isReady = () => isUp(port);
  const gateway = await startChild({ command, args, cwd: folder.path, stopSignal: 'SIGTERM', isReady });
  try {
    expect(await statuses(port, `tenant-${port}`, 7)).toEqual([
      ...Array(5).fill(passes),
      ...Array(2).fill([429, '60', expect.any(String)]),
    ]);
    expect((await statuses(port, `other-${port}`, 1))[0]).toEqual(passes);
  } finally {
    await gateway.stop();
  }
}

describeWith(nginx(), 'limits asked by nginx', (program) => {
  it('lets pass what may, and answers 429 with Retry-After', async () => {
    await house.listening(async ({ api }) => {
      const port = await freePort();
      const inGuide = fromGuide('limit-with-nginx.md', 'nginx', { '8080': port, '4700': api, '3000': upstreamPort() });
      const user = process.getuid?.() === 0 ? 'user root;' : '';
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `${kind}_temp_path ${folder.path}/${kind};`,
      );
      const around = `${user} daemon off; worker_processes 1; pid ${folder.path}/nginx.pid; error_log stderr;\nevents {}\n`;
      const file = join(folder.path, 'nginx.conf');
      writeFileSync(file, `${around}http { access_log off; ${temporary.join(' ')}\n${inGuide}\n}`);
      await expectLimits(program, ['-c', file, '-p', folder.path], port);
    });
  });
});

describeWith(haproxy(), 'limits asked by HAProxy', (program) => {
  it('lets pass what may, and answers 429 with Retry-After', async () => {
    await house.listening(async ({ api }) => {
      const port = await freePort();
      const ports = { '8080': port, '4700': api, '3000': upstreamPort() };
      const lua = join(folder.path, 'taximeter.lua');
      writeFileSync(lua, fromGuide('limit-with-haproxy.md', 'lua', ports));
      const file = join(folder.path, 'haproxy.cfg');
      writeFileSync(
        file,
        fromGuide('limit-with-haproxy.md', 'haproxy', ports).replace('/etc/haproxy/taximeter.lua', lua),
      );
      await expectLimits(program, ['-db', '-f', file], port);
    });
  });
});
