import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Command } from 'commander';
import type { StatusAnswer } from '../../serve/contract/contract.ts';
import { runningServer } from '../../store/front.ts';
import type { Cli } from '../context.ts';
import { failureLines } from '../context.ts';

type Finding = readonly [ok: boolean, words: string];

const LOW_DISK_BYTES = 2 * 2 ** 30;

/** doctor: checks what Taximeter needs, and says what to do about what is missing. */
export function addDoctorCommand(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description('check engines, ports, disk, clock and coverage')
    .action(async () => {
      const findings = [await node(), await disk(cli), ...(await ports(cli)), clock(), ...(await engines(cli))];
      for (const [ok, words] of findings) cli.print(`${ok ? 'ok     ' : 'PROBLEM'}  ${words}`);
      if (findings.some(([ok]) => !ok)) cli.failed();
    });
}

async function node(): Promise<Finding> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return [major > 20 || (major === 20 && minor >= 19), `Node.js ${process.versions.node}; 20.19 or newer is needed`];
}

async function disk(cli: Cli): Promise<Finding> {
  const { folder } = cli.config();
  const free = await statfs(folder).catch(() => statfs('.'));
  const freeBytes = free.bavail * free.bsize;
  return [
    freeBytes > LOW_DISK_BYTES,
    `${(freeBytes / 2 ** 30).toFixed(1)} GB free for ${folder}; below 2 GB senders may soon be told to wait`,
  ];
}

async function ports(cli: Cli): Promise<Finding[]> {
  const { host, apiPort, otlpPort, otlpGrpcPort, folder } = cli.config();
  const server = runningServer(folder);
  if (server !== null && server.url !== '') return [[true, `a server runs (process ${server.pid}) at ${server.url}`]];
  return Promise.all(
    [apiPort, otlpPort, ...(otlpGrpcPort === 0 ? [] : [otlpGrpcPort])].map(async (port): Promise<Finding> => {
      const isFree = await canListen(host, port);
      return [isFree, `port ${port} on ${host} is ${isFree ? 'free' : 'in use by another program'}`];
    }),
  );
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once('error', () => done(false));
    probe.listen(port, host, () => probe.close(() => done(true)));
  });
}

function clock(): Finding {
  const year = new Date().getUTCFullYear();
  return [year >= 2024 && year < 2100, `the clock says ${new Date().toISOString()}`];
}

async function engines(cli: Cli): Promise<Finding[]> {
  try {
    const status = await cli.ask<StatusAnswer>('GET', '/api/v1/status');
    const model: Finding = [
      status.models.length > 0,
      status.models.length > 0 ? 'a cost model is in force' : 'no cost model: taximeter apply -f model.yaml',
    ];
    return [[true, `the engines answer: ${status.calls} calls, ${status.charges} charges`], model];
  } catch (cause) {
    return failureLines(cause).map((line): Finding => [false, line]);
  }
}
