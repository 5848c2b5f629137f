import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { listenSyslog } from '../../src/serve/index.ts';
import { openListeningHouse } from '../support/listening-house.ts';

const JOURNAL_BYTES = 400_000;
const LINES = 20_000;
const soon = { timeout: 300_000, interval: 20 };

const message = (tag: string, number: number) =>
  `<190>Aug  1 03:04:05 web-1 ${tag}: 10.0.0.1 - - [01/Aug/2022:03:04:05 +0000] "GET /full/${number} HTTP/1.1" 200 42 "-" "x"`;

it('a full journal makes TCP wait and loses nothing; UDP drops and counts', async () => {
  const full = await openListeningHouse(1 << 20, '', () => new Date(), JOURNAL_BYTES);
  const { collector, syslog } = full.house;
  const reading = { format: 'auto', tenantFrom: 'path:1', allow: '' };
  const listeners = await listenSyslog(full.house, { host: '127.0.0.1', port: 0, ...reading });
  try {
    const socket = connect(listeners.port, '127.0.0.1');
    const sent = (async () => {
      for (let number = 0; number < LINES; number++)
        if (!socket.write(`${message('nginx', number)}\n`)) await once(socket, 'drain');
      socket.end();
    })();
    await expect.poll(() => collector.counts.lines, soon).toBeGreaterThan(0);
    // Until the journal takes no batch of either any more.
    const udp = createSocket('udp4');
    const dropped = () => syslog.dropped.get('journal_full') ?? 0;
    await expect
      .poll(() => {
        udp.send(message('udp', 0), listeners.port, '127.0.0.1');
        return dropped();
      }, soon)
      .toBeGreaterThan(0);
    udp.close();
    const nginx = async () => {
      await collector.settle();
      const [row] = await full.house.store.columns.query<{ n: string }>(
        "SELECT sum(sign) AS n FROM work WHERE service = 'nginx'",
      );
      return Number(row!.n);
    };
    expect(await nginx()).toBeLessThan(LINES);
    await expect.poll(nginx, { timeout: 300_000, interval: 100 }).toBe(LINES);
    await sent;
  } finally {
    await listeners.stop();
    await full.close();
  }
});
