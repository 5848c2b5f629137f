import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeWith, nginx } from '../support/available.ts';
import { freePort, startChild } from '../support/child-server.ts';
import { startFollowing } from '../support/following.ts';
import { type RunningTaximeter, startTaximeter } from '../support/taximeter.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder('nginx');
afterAll(() => folder.remove());

const soon = { timeout: 300_000, interval: 50 };
const REQUESTS = 300;

function configuration(port: number, syslogPort: number): string {
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder.path}/${kind};`)
    .join(' ');
  return `${user} daemon off; worker_processes 2; pid ${folder.path}/nginx.pid; error_log stderr;
    events {}
    http {
      ${temporary}
      access_log ${folder.path}/access.log combined;
      access_log syslog:server=127.0.0.1:${syslogPort},tag=by_syslog combined;
      server { listen 127.0.0.1:${port}; location / { return 200 'ok'; } location /secret { return 403; } }
    }`;
}

/** Calls by day and endpoint of one service. */
async function usage(server: RunningTaximeter, tenant: string) {
  await fetch(`${server.api}/api/v1/settle`, { method: 'POST' });
  const answer = await fetch(`${server.api}/api/v1/usage?from=2020-01-01&to=2100-01-01&by=tenant,endpoint`);
  const { rows } = (await answer.json()) as {
    rows: { tenant: string; endpoint: string; calls: number; bytesOut: number }[];
  };
  return rows
    .filter((row) => row.tenant === tenant)
    .map(({ endpoint, calls, bytesOut }) => [endpoint, calls, bytesOut]);
}

describeWith(nginx(), 'nginx that writes to a file and to syslog', (program) => {
  it('is counted the same by both, also through rotation', async () => {
    const [port, syslogPort] = [await freePort(), await freePort()];
    const data = join(folder.path, 'data');
    const log = join(folder.path, 'access.log');
    const server = await startTaximeter(data, {
      TAXIMETER_SYSLOG_PORT: String(syslogPort),
      TAXIMETER_SYSLOG_TENANT_FROM: 'fixed:syslog',
    });
    writeFileSync(join(folder.path, 'nginx.conf'), configuration(port, syslogPort));
    const web = await startChild({
      command: program,
      args: ['-c', join(folder.path, 'nginx.conf'), '-p', folder.path],
      cwd: folder.path,
      stopSignal: 'SIGTERM',
      isReady: async () => (await fetch(`http://127.0.0.1:${port}/ready`).catch(() => null)) !== null,
    });
    const follower = startFollowing([log, '--data', data, '--tenant-from', 'fixed:file']);
    try {
      await expect.poll(follower.err, soon).toContain('format');
      for (let number = 0; number < REQUESTS; number++) {
        const path = number % 3 === 0 ? `/secret/${number}` : `/v1/orders/${number}?q=%00"x`;
        await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
        if (number === REQUESTS / 2) {
          renameSync(log, `${log}.1`);
          process.kill(web.pid, 'SIGUSR1');
        }
      }
      const total = async (tenant: string) =>
        (await usage(server, tenant)).reduce((sum, [, calls]) => sum + Number(calls), 0);
      await expect.poll(() => total('syslog'), soon).toBeGreaterThan(REQUESTS);
      await expect.poll(() => total('file'), soon).toBe(await total('syslog'));
      const rows = await usage(server, 'file');
      expect(rows).toEqual(await usage(server, 'syslog'));
      expect(rows).toContainEqual(['GET /v1/orders/{id}', 200, 400]);
      const metrics = await (await fetch(`${server.api}/metrics`)).text();
      expect(metrics).toMatch(/taximeter_syslog_messages_total\{transport="udp"\} [1-9]/);
      expect(metrics).not.toMatch(/taximeter_syslog_dropped_total\{/);
      expect(await follower.stop()).toBe(0);
    } finally {
      await follower.kill();
      await web.stop();
      await server.stop();
    }
  });
});
