import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenSyslog, type SyslogConfig, type SyslogListeners } from '../../src/serve/index.ts';
import { usageReport } from '../../src/usage/index.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';

const DAY = { fromMs: Date.UTC(2022, 7, 1), toMs: Date.UTC(2022, 7, 2) };
const line = (path: string) => `10.0.0.1 - - [01/Aug/2022:03:04:05 +0000] "GET ${path} HTTP/1.1" 200 42 "-" "x"`;
const nginx = (tag: string, path: string) => `<190>Aug  1 03:04:05 web-1 ${tag}: ${line(path)}`;
const config: SyslogConfig = { host: '127.0.0.1', port: 0, allow: '', format: 'auto', tenantFrom: 'path:1' };

let opened: ListeningHouse;
beforeAll(async () => {
  opened = await openListeningHouse(1 << 20);
});
afterAll(() => opened.close());

async function listening(
  test: (listeners: SyslogListeners) => Promise<void>,
  more: Partial<SyslogConfig> = {},
  bounds?: Parameters<typeof listenSyslog>[2],
): Promise<void> {
  const listeners = await listenSyslog(opened.house, { ...config, ...more }, bounds);
  try {
    await test(listeners);
  } finally {
    await listeners.stop();
  }
}

async function calls(tenant: string): Promise<number> {
  await opened.house.collector.settle();
  const asked = { range: DAY, window: 'none', timeZone: 'UTC', by: ['tenant'] } as const;
  const report = await usageReport(opened.house.store, asked as unknown as Parameters<typeof usageReport>[1]);
  return report.rows.find((row) => row.tenant === tenant)?.calls ?? 0;
}

async function sendUdp(port: number, messages: readonly string[], address = '127.0.0.1'): Promise<void> {
  const socket = createSocket('udp4');
  for (const message of messages)
    await new Promise<void>((done, failed) =>
      socket.send(message, port, address, (cause) => (cause ? failed(cause) : done())),
    );
  await new Promise<void>((done) => socket.close(() => done()));
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function written(socket: Socket, bytes: string | Buffer): Promise<void> {
  if (!socket.write(bytes)) await once(socket, 'drain');
}

/** How many lines were accepted since. */
function since(): () => number {
  const { counts } = opened.house.collector;
  const before = counts.lines;
  return () => counts.lines - before;
}

const drops = (reason: string) => opened.house.syslog.dropped.get(reason as never) ?? 0;
const soon = { timeout: 300_000, interval: 20 };

describe('syslog', () => {
  it('over UDP counts every message once, and the tag is the service', async () => {
    await listening(async ({ port }) => {
      const lines = since();
      await sendUdp(
        port,
        Array.from({ length: 50 }, (_, index) => nginx('gateway', `/udp/${index}`)),
      );
      await expect.poll(lines, soon).toBe(50);
      expect(await calls('udp')).toBe(50);
      const services = await opened.house.store.columns.query<{ service: string }>(
        "SELECT DISTINCT service FROM work WHERE tenant = 'udp'",
      );
      expect(services).toEqual([{ service: 'gateway' }]);
    });
  });

  it('that says the same twice is two calls', async () => {
    await listening(async ({ port }) => {
      const lines = since();
      await sendUdp(port, [nginx('nginx', '/twice'), nginx('nginx', '/twice')]);
      await expect.poll(lines, soon).toBe(2);
      expect(await calls('twice')).toBe(2);
    });
  });

  it.each([
    ['line feeds', (message: string) => `${message}\n`],
    ['lengths', (message: string) => `${Buffer.byteLength(message)} ${message}`],
  ])('over TCP with %s', async (name, frame) => {
    await listening(async ({ port }) => {
      const lines = since();
      const socket = await connected(port);
      for (let number = 0; number < 5_000; number++)
        await written(socket, frame(nginx('nginx', `/${name.replace(' ', '-')}/${number}`)));
      socket.end();
      await expect.poll(lines, soon).toBe(5_000);
    });
  });

  it('keeps programs of one sender apart, each with its format', async () => {
    await listening(async ({ port }) => {
      const lines = since();
      const haproxy = (path: string) =>
        `<134>Aug  1 03:04:05 haproxy[1]: 10.0.1.2:33317 [01/Aug/2022:03:04:05.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET ${path} HTTP/1.1"`;
      const socket = await connected(port);
      for (let number = 0; number < 20; number++)
        await written(socket, `${nginx('nginx', '/both/1')}\n${haproxy('/both/2')}\n`);
      socket.end();
      await expect.poll(lines, soon).toBe(40);
      expect(await calls('both')).toBe(40);
    });
  });

  it('that is no line of a log is refused, counted and noted without its text', async () => {
    const time = 'secret words';
    await listening(async ({ port }) => {
      await sendUdp(port, [`<190>Aug  1 03:04:05 web-1 odd: ${time}`]);
      await expect.poll(() => opened.house.quarantine.count({ source: 'syslog udp 127.0.0.1' }), soon).toBe(1);
    });
    const [noted] = await opened.house.quarantine.list({}, 1);
    expect(noted).toMatchObject({ line: 1, byte_offset: 0, reason: 'line_malformed', service: 'odd', line_text: null });
    expect(JSON.stringify(noted)).not.toContain('secret');
  });

  it('stops with what came already kept', async () => {
    const lines = since();
    const before = opened.house.syslog.messages.tcp;
    await listening(async ({ port }) => {
      const socket = await connected(port);
      await written(socket, `${nginx('nginx', '/stop')}\n`);
      await expect.poll(() => opened.house.syslog.messages.tcp - before, soon).toBe(1);
    });
    expect(lines()).toBe(1);
  });
});

describe('hostile senders', () => {
  it('of a line without an end, NULs and garbage cost no memory, and others go on', async () => {
    await listening(async ({ port }) => {
      const lines = since();
      const endless = await connected(port);
      const chunk = Buffer.alloc(1 << 20, 'x');
      const garbage = Buffer.alloc(1 << 20, Buffer.from('\0\xff<134>\0 1 \n', 'latin1'));
      const loud = await connected(port);
      const before = process.memoryUsage().rss;
      let most = 0;
      for (let megabytes = 0; megabytes < 24; megabytes++) {
        await written(endless, chunk);
        await written(loud, garbage);
        most = Math.max(most, process.memoryUsage().rss - before);
      }
      const slow = await connected(port);
      for (const byte of `${nginx('nginx', '/slow')}\n`) await written(slow, byte);
      await expect.poll(lines, soon).toBe(1);
      expect(most).toBeLessThan(400 << 20);
      for (const socket of [endless, loud, slow]) socket.destroy();
      expect(drops('too_long')).toBeGreaterThan(0);
      expect(await opened.house.quarantine.count()).toBeLessThanOrEqual(105_000);
    });
  });

  it('beyond the number of connections are turned away', async () => {
    await listening(
      async ({ port }) => {
        const first = await connected(port);
        await expect.poll(() => opened.house.syslog.connections, soon).toBe(1);
        const second = connect(port, '127.0.0.1');
        second.on('error', () => undefined);
        await once(second, 'close');
        const lines = since();
        await written(first, `${nginx('nginx', '/first')}\n`);
        await expect.poll(lines, soon).toBe(1);
        first.destroy();
      },
      {},
      { connections: 1, idleMs: 60_000 },
    );
  });

  it('that say nothing are let go', async () => {
    await listening(
      async ({ port }) => {
        const socket = await connected(port);
        await once(socket, 'close');
      },
      {},
      { connections: 10, idleMs: 100 },
    );
  });
});

describe('settings that cannot be used', () => {
  it.each<readonly [string, Partial<SyslogConfig>]>([
    ['a format', { format: 'morse' }],
    ['a rule of tenants', { tenantFrom: 'path:x' }],
  ])('%s', async (_, more) => {
    await expect(listenSyslog(opened.house, { ...config, ...more })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('a port that is taken', async () => {
    await listening(async ({ port }) => {
      await expect(listenSyslog(opened.house, { ...config, port })).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    });
  });
});
