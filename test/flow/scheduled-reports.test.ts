import { createHmac, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ReportSchedulesAnswer } from '../../src/serve/contract/report-schedules.ts';
import { type Api, createApi, type ReportSettings, Reports } from '../../src/serve/index.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { runCommand } from '../support/run-command.ts';
import { startReceiver, type WebhookReceiver } from '../support/webhook-receiver.ts';
import { callRequest } from './small-input.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const PASSWORD = 'correct horse battery staple';
const KEY = randomBytes(32).toString('base64');
const HOSTILE = '<script>alert("x")</script>';

let now = new Date('2022-08-02T06:00:00Z');
let opened: ListeningHouse;
let mail: MailServer;
let receiver: WebhookReceiver;
let settings: ReportSettings;
let api: Api;

beforeAll(async () => {
  [mail, receiver] = [await startMailServer(PASSWORD), await startReceiver()];
  opened = await openListeningHouse(1 << 20, '', () => now);
  const { collector } = opened.house;
  for (let place = 0; place < 60; place++) {
    const tenant = place % 3 === 0 ? HOSTILE : 'acme';
    const atMs = place * 20 * MINUTE + (place % 7) * MINUTE;
    await collector.traces(Buffer.from(callRequest({ id: place + 1, atMs, tenant, route: `/${place % 2}` })), 'json');
  }
  await collector.settle();
  settings = {
    mail: { url: mailUrl(PASSWORD), from: 'Taximeter <taximeter@example.com>' },
    webhookSecrets: new Map([['ops', `whsec_${KEY}`]]),
    webhookAllow: '127.0.0.1/32',
  };
  api = createApi(opened.house, { pages: '' });
});
afterAll(async () => {
  await opened.close();
  await mail.close();
  await receiver.close();
});
let days = 2;
beforeEach(() => {
  // Each test has a day of its own, on whose morning it applies its schedule.
  now = new Date(Date.UTC(2022, 7, days++, 6));
  mail.mails.length = 0;
  mail.refusal = null;
  receiver.posts.length = 0;
  receiver.answer = (response) => void response.writeHead(204).end();
});

function mailUrl(password: string): string {
  return `smtp://taximeter:${encodeURIComponent(password)}@127.0.0.1:${mail.port}`;
}

/** A process that sends reports: as after a restart each time. */
function reports(changed: Partial<ReportSettings> = {}): Reports {
  const { store, folder, log } = opened.house;
  return new Reports({ store, folder, log, settings: { ...settings, ...changed }, now: () => now });
}

async function apply(name: string, to: readonly object[], fields: object = {}): Promise<void> {
  const spec = { every: 'day', at: '07:00', parts: ['targets'], to, ...fields };
  const document = { apiVersion: 'taximeter/v1', kind: 'ReportSchedule', metadata: { name }, spec };
  const answer = await api(
    new Request('http://localhost/api/v1/documents', { method: 'POST', body: JSON.stringify(document) }),
  );
  expect(answer.status, await answer.clone().text()).toBe(200);
}

afterEach(async () => {
  for (const { name } of await reports().list()) await apply(name, [{ file: 'json' }], { enabled: false });
});

const later = (ms: number) => {
  now = new Date(now.getTime() + ms);
};
const stateOf = async (name: string) => {
  const { deliveries } = (await reports().list()).find((schedule) => schedule.name === name)!;
  return deliveries.map(({ state, attempts, error }) => ({ state, attempts, error }));
};

describe('a report that is due', () => {
  test('is sent once by mail, webhook and file, whoever looks and how often', async () => {
    await apply(
      'daily',
      [
        { mail: ['ops@example.com', 'pm@example.com'] },
        { webhook: { url: `${receiver.url}/in?key=1`, secret: 'ops' } },
        { file: 'html' },
      ],
      {
        parts: ['figures', 'why', 'advice', 'targets'],
      },
    );
    const first = reports();
    // What was due before the schedule was applied is nobody's report; nor is what is not due yet.
    expect(await first.look()).toBe(0);
    later(59 * MINUTE);
    expect(await first.look()).toBe(0);
    later(MINUTE);
    const sent = await Promise.all([first.look(), reports().look(), reports().look()]);
    expect(sent.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect([await first.look(), await reports().look()]).toEqual([0, 0]);
    expect([mail.mails.length, receiver.posts.length]).toEqual([2, 1]);
    expect(await stateOf('daily')).toEqual(Array(4).fill({ state: 'sent', attempts: 1, error: '' }));

    const [taken] = mail.mails;
    expect(mail.mails.map(({ to }) => to).sort()).toEqual([['ops@example.com'], ['pm@example.com']]);
    expect(taken).toMatchObject({ from: 'taximeter@example.com' });
    expect(taken!.headers.get('subject')).toContain('Daily report daily: 2022-08-01');
    expect(taken!.headers.get('auto-submitted')).toBe('auto-generated');
    const [html, plain] = [taken!.parts.get('text/html')!, taken!.parts.get('text/plain')!];
    expect(plain).toContain('60 calls');
    expect(plain).toContain('acme');
    expect(html).toContain('&#60;script&#62;');
    expect(html).not.toMatch(/<script/i);

    const [post] = receiver.posts;
    const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = post!.headers;
    const expected = createHmac('sha256', Buffer.from(KEY, 'base64')).update(`${id}.${timestamp}.${post!.body}`);
    expect(signature).toBe(`v1,${expected.digest('base64')}`);
    expect(Number(timestamp)).toBe(now.getTime() / 1000);
    expect(JSON.parse(post!.body)).toMatchObject({
      type: 'taximeter.report',
      data: { schedule: 'daily', figures: { calls: 60 }, why: { after: 60 }, advice: { calls: 60 }, targets: [] },
    });
    expect(taken!.headers.get('message-id')).toMatch(/^<rpt_[0-9a-f]{40}@example\.com>$/);

    const folder = join(opened.house.folder, 'reports');
    expect(readdirSync(folder)).toEqual(['daily-2022-08-01.html']);
    expect(readFileSync(join(folder, 'daily-2022-08-01.html'), 'utf8').trimEnd()).toBe(
      html.replaceAll('\r\n', '\n').trimEnd(),
    );
  });

  test('is sent again under the same id when whoever sent it died before it was written down', async () => {
    await apply('crash', [{ webhook: { url: receiver.url } }]);
    later(60 * MINUTE);
    // The receiver has it; its sender never learns so, nor does anybody else.
    let die: () => void = () => undefined;
    receiver.answer = () => die();
    const dead = new Promise<void>((done) => {
      die = done;
    });
    const dying = reports().look();
    await dead;
    const { store } = opened.house;
    const rows = () =>
      store.documents.selectFrom('report_delivery').selectAll().where('schedule', '=', 'crash').execute();
    expect(await rows()).toMatchObject([{ state: 'sending', attempts: 1 }]);
    receiver.answer = (response) => void response.writeHead(200).end();
    later(9 * MINUTE);
    expect(await reports().look()).toBe(0);
    later(2 * MINUTE);
    expect(await reports().look()).toBe(1);
    expect(receiver.posts).toHaveLength(2);
    expect(receiver.posts[1]!.headers['webhook-id']).toBe(receiver.posts[0]!.headers['webhook-id']);
    expect(await stateOf('crash')).toEqual([{ state: 'sent', attempts: 2, error: '' }]);
    // Should the first one live after all, what it says counts no more.
    await receiver.close();
    expect(await dying).toBe(0);
    expect(await stateOf('crash')).toEqual([{ state: 'sent', attempts: 2, error: '' }]);
    receiver = await startReceiver();
  });

  test('is tried again, with longer and longer rests, until it is taken', async () => {
    await apply('busy', [{ webhook: { url: receiver.url } }]);
    later(60 * MINUTE);
    receiver.answer = (response) => void response.writeHead(503).end('later');
    const sender = reports();
    const tries: number[] = [];
    for (let minute = 0; minute < 8; minute++, later(MINUTE)) {
      await sender.look();
      tries.push(receiver.posts.length);
    }
    expect(tries).toEqual([1, 2, 2, 3, 3, 3, 3, 4]);
    expect(await stateOf('busy')).toEqual([
      { state: 'waiting', attempts: 4, error: expect.stringMatching(/answered 503$/) },
    ]);
    expect(opened.logged.at(-1)).toBe('a report could not be sent; it will be tried again');
    receiver.answer = (response) => void response.writeHead(200).end();
    later(8 * MINUTE);
    expect(await sender.look()).toBe(1);
    expect(new Set(receiver.posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(sender.counts).toEqual({ sent: 1, waiting: 4, failed: 0 });
  });

  test('is given up after a day, and when the receiver does not want it at all; then it can be sent by hand', async () => {
    await apply('unwanted', [{ webhook: { url: `${receiver.url}/gone` } }]);
    later(60 * MINUTE);
    receiver.answer = (response) => void response.writeHead(410).end();
    expect(await reports().look()).toBe(0);
    expect(await stateOf('unwanted')).toEqual([
      { state: 'failed', attempts: 1, error: expect.stringMatching(/answered 410$/) },
    ]);
    expect(opened.logged.at(-1)).toBe('a report could not be sent and is given up');
    later(2 * MINUTE);
    await reports().look();
    expect(receiver.posts).toHaveLength(1);
    await expect(reports().send('unwanted', undefined, false)).rejects.toMatchObject({
      ...{ code: 'REPORT_UNSENT', problems: [{ message: expect.stringContaining('answered 410') }] },
    });
    receiver.answer = (response) => void response.writeHead(200).end();
    expect(await reports().send('unwanted', undefined, false)).toMatchObject({ sent: 1 });
    expect(await reports().send('unwanted', undefined, false)).toMatchObject({ sent: 0 });
    expect(await reports().send('unwanted', undefined, true)).toMatchObject({ sent: 1 });
    expect(new Set(receiver.posts.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  test('of a schedule that was changed goes to those whom the new version names', async () => {
    await apply('changed', [{ webhook: { url: `${receiver.url}/old` } }]);
    later(60 * MINUTE);
    receiver.answer = (response) => void response.writeHead(503).end();
    await reports().look();
    later(MINUTE);
    await apply('changed', [{ webhook: { url: `${receiver.url}/new` } }]);
    receiver.answer = (response) => void response.writeHead(200).end();
    later(2 * MINUTE);
    expect(await reports().look()).toBe(0);
    expect(await stateOf('changed')).toMatchObject([
      { state: 'failed', error: 'the schedule no longer names this target' },
    ]);
    later(DAY);
    expect(await reports().look()).toBe(1);
    expect(receiver.posts.map(({ path }) => path)).toEqual(['/old', '/new']);
  });
});

describe('sending by hand', () => {
  const files = () => readdirSync(join(opened.house.folder, 'reports')).filter((name) => name.startsWith('edited'));

  test('leaves alone what was sent to targets that the schedule had before, and for other periods', async () => {
    await apply('edited', [{ file: 'html' }, { file: 'json' }]);
    later(60 * MINUTE);
    expect(await reports().look()).toBe(2);
    const rows = () =>
      opened.house.store.documents.selectFrom('report_delivery').selectAll().where('schedule', '=', 'edited').execute();
    const dropped = async () => (await rows()).filter(({ shown }) => shown === 'file as html');
    const before = await dropped();
    expect(before).toMatchObject([{ state: 'sent' }]);
    later(60 * MINUTE);
    await apply('edited', [{ file: 'json' }]);
    expect(await reports().send('edited', undefined, true)).toMatchObject({
      ...{ sent: 1, deliveries: [{ target: 'file as json', state: 'sent', attempts: 2 }] },
    });
    expect(await reports().send('edited', undefined, false)).toMatchObject({ sent: 0 });
    expect(await dropped()).toEqual(before);
    expect(files()).toHaveLength(2);
  });

  test('sends what is disabled as well', async () => {
    await apply('asleep', [{ file: 'text' }], { enabled: false });
    later(60 * MINUTE);
    expect(await reports().look()).toBe(0);
    expect(await reports().send('asleep', undefined, false)).toMatchObject({
      ...{ sent: 1, deliveries: [{ state: 'sent' }] },
    });
  });
});

describe('mail', () => {
  test('waits for a server that is not there; no password is told', async () => {
    await apply('mailed', [{ mail: ['ops@example.com'] }]);
    later(60 * MINUTE);
    await reports({ mail: { url: '', from: '' } }).look();
    expect(await stateOf('mailed')).toMatchObject([
      { state: 'waiting', error: expect.stringContaining('TAXIMETER_SMTP_URL') },
    ]);
    later(2 * MINUTE);
    await reports({ mail: { ...settings.mail, url: mailUrl('wrong secret') } }).look();
    const [wrong] = await stateOf('mailed');
    expect(wrong).toMatchObject({ state: 'waiting', attempts: 2 });
    expect(wrong!.error).toContain('127.0.0.1: ');
    later(4 * MINUTE);
    mail.refusal = { code: 451, words: 'come back later' };
    await reports().look();
    expect(await stateOf('mailed')).toMatchObject([
      { state: 'waiting', error: expect.stringContaining('come back later') },
    ]);
    later(8 * MINUTE);
    mail.refusal = null;
    expect(await reports().look()).toBe(1);
    expect(mail.mails).toHaveLength(1);
    const told = opened.output.join('\n') + JSON.stringify(await reports().list());
    for (const secret of ['wrong secret', encodeURIComponent('wrong secret'), PASSWORD, KEY])
      expect(told).not.toContain(secret);
  });

  test('goes again to those only whom the server refused for now', async () => {
    await apply('partly', [{ mail: ['ops@example.com', 'full@example.com', 'nobody@example.com', 'ops@example.com'] }]);
    later(60 * MINUTE);
    mail.refused.set('full@example.com', { code: 452, words: 'mailbox full' });
    mail.refused.set('nobody@example.com', { code: 550, words: 'no such user' });
    expect(await reports().look()).toBe(1);
    const states = async () => (await stateOf('partly')).map(({ state, error }) => [state, error.slice(-12)]).sort();
    expect(await states()).toEqual([
      ['failed', expect.stringContaining('such user')],
      ['sent', ''],
      ['waiting', 'mailbox full'],
    ]);
    mail.refused.clear();
    later(2 * MINUTE);
    expect(await reports().look()).toBe(1);
    expect(mail.mails.map(({ to }) => to)).toEqual([['ops@example.com'], ['full@example.com']]);
    // By hand it goes to whom it did not reach.
    expect(await reports().send('partly', undefined, false)).toMatchObject({ sent: 1 });
    expect(mail.mails.at(-1)!.to).toEqual(['nobody@example.com']);
  });

  test('that the server does not want is not sent again', async () => {
    await apply('refused', [{ mail: ['ops@example.com'] }]);
    later(60 * MINUTE);
    mail.refusal = { code: 554, words: 'no' };
    await reports().look();
    expect(await stateOf('refused')).toMatchObject([{ state: 'failed', attempts: 1 }]);
  });
});

describe('webhooks', () => {
  test('do not follow where they are sent on to, and read no endless answer', async () => {
    await apply('redirected', [{ webhook: { url: `${receiver.url}/here` } }]);
    later(60 * MINUTE);
    receiver.answer = (response) => void response.writeHead(307, { location: '/there' }).end();
    await reports().look();
    expect(receiver.posts.map(({ path }) => path)).toEqual(['/here']);
    expect(await stateOf('redirected')).toMatchObject([
      { state: 'failed', error: expect.stringMatching(/answered 307$/) },
    ]);
    receiver.answer = (response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', more);
      more();
    };
    expect(await reports().send('redirected', undefined, false)).toMatchObject({ sent: 1 });
  });

  test('do not reach this machine unless it is allowed, nor go out without the secret that is named', async () => {
    const local = receiver.url.replace('127.0.0.1', 'localhost');
    await apply('inside', [
      { webhook: { url: local } },
      { webhook: { url: `${receiver.url}/signed`, secret: 'unknown' } },
    ]);
    later(60 * MINUTE);
    await reports({ webhookAllow: '' }).look();
    expect(receiver.posts).toEqual([]);
    const errors = (await stateOf('inside')).map(({ error }) => error).sort();
    expect(errors).toEqual([
      expect.stringContaining('TAXIMETER_WEBHOOK_SECRETS has no unknown'),
      expect.stringMatching(/^localhost leads to .*TAXIMETER_WEBHOOK_ALLOW/),
    ]);
  });
});

describe('commands', () => {
  const run = (...args: string[]) => runCommand(api, opened.house.folder, args);

  test('list, preview and send', async () => {
    await apply('by-hand', [{ file: 'text' }], { every: 'week', parts: ['figures'], tenants: ['acme'] });
    const list = JSON.parse((await run('reports', 'list', '--json')).out) as ReportSchedulesAnswer;
    expect(list.schedules.find(({ name }) => name === 'by-hand')).toMatchObject({
      every: 'week',
      parts: ['figures'],
      deliveries: [],
    });
    expect((await run('reports', 'list')).out).toContain('by-hand');
    now = new Date('2022-08-05T12:00:00Z');
    const early = await run('reports', 'preview', 'by-hand', '--from', '2022-08-01');
    expect(early).toMatchObject({ code: 1, err: expect.stringContaining('is not over') });
    now = new Date('2022-08-20T12:00:00Z');
    const text = await run('reports', 'preview', 'by-hand', '--from', '2022-08-01');
    expect(text).toMatchObject({ code: 0, out: expect.stringContaining('Weekly report by-hand') });
    expect(text.out).toContain('40 calls');
    const html = await run('reports', 'preview', 'by-hand', '--from', '2022-08-01', '--format', 'html');
    expect(html.out).toContain('<h1>Weekly report by-hand');
    const send = await run('reports', 'send', 'by-hand', '--from', '2022-08-01');
    expect(send).toMatchObject({ code: 0, out: expect.stringContaining('Sent to 1.') });
    expect(readFileSync(join(opened.house.folder, 'reports', 'by-hand-2022-08-01.txt'), 'utf8').trimEnd()).toContain(
      '40 calls',
    );
    expect((await run('reports', 'send', 'by-hand', '--from', '2022-08-01')).out).toContain('Nothing was sent');
    expect(await run('reports', 'preview', 'nobody')).toMatchObject({
      code: 1,
      err: expect.stringContaining('nobody'),
    });
  });
});
