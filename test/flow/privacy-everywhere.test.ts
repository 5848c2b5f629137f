import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listenSyslog } from '../../src/serve/index.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { logLines } from './privacy/log-lines.ts';
import { secrets } from './privacy/secrets.ts';

let opened: ListeningHouse;
beforeAll(async () => {
  opened = await openListeningHouse(1 << 22);
});
afterAll(() => opened.close());

/** Everything in the files of the folder: journals, documents, the engine's own logs. */
function files(path: string): string {
  if (!statSync(path).isDirectory()) return readFileSync(path).toString('latin1');
  return readdirSync(path)
    .map((name) => files(join(path, name)))
    .join('\n');
}

/** Everything that the tables of both engines hold; the column engine packs what it writes. */
async function tables(): Promise<string> {
  const { columns, documents } = opened.house.store;
  const rows: unknown[] = [];
  for (const { name } of await columns.query<{ name: string }>('SHOW TABLES'))
    rows.push(...(await columns.query(`SELECT * FROM ${name}`)));
  for (const table of ['quarantine', 'subject', 'document', 'fact'] as const)
    rows.push(...(await documents.selectFrom(table).selectAll().execute()));
  return JSON.stringify(rows);
}

/** What was sent is in the journal first, and then in tables. */
async function expectNothing(): Promise<void> {
  const { house, output } = opened;
  const found = (text: string) => secrets.filter((secret) => text.includes(secret));
  expect(found(files(house.folder))).toEqual([]);
  await house.collector.settle();
  expect(found(await tables())).toEqual([]);
  expect(found(files(house.folder))).toEqual([]);
  expect(found(output.join('\n'))).toEqual([]);
}

const texts = (values: object) => Object.entries(values).map(([key, stringValue]) => ({ key, value: { stringValue } }));
const text = (secret: string) => `about ${secret} in it`;

it('of OTLP log records with secrets in every field nothing is found', async () => {
  const { collector } = opened.house;
  let nano = 0n;
  for (const secret of secrets) {
    const named = { 'user.id': secret, 'http.request.header.authorization': secret, 'client.address': secret };
    const request = { 'http.request.method': 'GET', 'url.path': `/u/${secret}`, 'http.response.status_code': '200' };
    for (const attributes of [{ ...named, ...request }, { ...named, 'taximeter.tenant': secret }, named]) {
      for (const body of [text(secret), ...logLines.map(({ lines }) => lines(secret))]) {
        const timeUnixNano = String(1_735_689_600_000_000_000n + ++nano * 1_000_000n);
        const record = {
          timeUnixNano,
          eventName: text(secret),
          body: { stringValue: body },
          attributes: texts(attributes),
        };
        const scope = { name: secret, attributes: texts(named) };
        const resource = { attributes: texts({ 'service.name': text(secret), 'service.version': secret, ...named }) };
        const sent = { resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [record] }] }] };
        await collector.logs(Buffer.from(JSON.stringify(sent)), 'json');
      }
    }
  }
  expect(collector.counts.lines).toBeGreaterThan(secrets.length * 20);
  await expectNothing();
});

it('of events with secrets in every field nothing is found, and each counts once', async () => {
  const { house } = opened;
  const events = secrets.flatMap((secret, place) =>
    [secret, text(secret)].map((s, form) => ({
      ...{ specversion: '1.0', type: `type ${s}`, subject: s, source: s, id: `${place} ${form} ${s}`, dataschema: s },
      data: { user: s, tokens: 7, inner: [{ [s]: s }, `${'x'.repeat(700)} ${s}`], escaped: s.replace('@', '\u0040') },
    })),
  );
  for (let sent = 0; sent < 2; sent++) await house.collector.events(Buffer.from(JSON.stringify(events)), 'batch');
  await expectNothing();
  const [row] = await house.store.columns.query<{ n: string }>('SELECT count() AS n FROM events');
  expect(Number(row!.n)).toBe(events.length);
});

it('of syslog, in any format and refused, nothing is found, in the quarantine neither', async () => {
  const { house } = opened;
  const listeners = await listenSyslog(house, {
    host: '127.0.0.1',
    port: 0,
    allow: '',
    format: 'auto',
    tenantFrom: 'user',
  });
  const socket = createSocket('udp4');
  const send = (message: string) =>
    new Promise<void>((done, failed) =>
      socket.send(message, listeners.port, '127.0.0.1', (cause) => (cause ? failed(cause) : done())),
    );
  const { counts } = house.collector;
  const before = counts.lines + counts.refused.total;
  for (const secret of secrets) {
    const tag = secret.replace(/[^\w.@-]/g, '').slice(0, 30);
    for (const line of [...logLines.flatMap(({ lines }) => lines(secret).split('\n')), `no line but ${secret}`])
      await send(`<190>Aug  1 03:04:05 ${tag} ${tag}: ${line}`);
  }
  await expect.poll(() => counts.lines + counts.refused.total - before, { timeout: 300_000 }).toBeGreaterThan(200);
  await listeners.stop();
  socket.close();
  expect(await house.quarantine.list({}, 1)).toHaveLength(1);
  await expectNothing();
});

it('of lines that are refused nothing is found in the quarantine', async () => {
  await opened.listening(async ({ api }) => {
    for (const secret of secrets) {
      const at = `http://127.0.0.1:${api}/api/v1/logs/combined?service=web&source=/var/log/web.log`;
      const answer = await fetch(at, {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body: `no line but ${secret}\n`,
      });
      expect(answer.status).toBe(200);
      // Neither is anything said in the log of what is refused whole, or asked for wrongly.
      for (const path of [
        '/api/v1/events',
        '/v1/traces',
        `/api/v1/usage?from=${encodeURIComponent(secret)}&to=2025-01-01`,
      ]) {
        const isPost = !path.includes('usage');
        await fetch(`http://127.0.0.1:${api}${path}`, {
          ...{ method: isPost ? 'POST' : 'GET', headers: { 'content-type': 'application/json', 'x-secret': secret } },
          ...(isPost ? { body: `{"broken": "${secret}"` } : {}),
        });
      }
    }
  });
  await expectNothing();
});
