import { cpus } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { benchRedis, benchServers, type ServerFigures } from './limit-servers.ts';
import { benchLimits } from './limits.ts';

/** Prints what limits cost, beside others in the same run. */
export async function runLimits(keys: number, folder: string): Promise<void> {
  const memory = await benchLimits(keys);
  const { http, grpc, bareHttp, bareGrpc } = await benchServers(Math.min(keys, 100_000), join(folder, 'limits'));
  const redis = await benchRedis(Math.min(keys, 50_000));
  const whole = (value: number) => Math.round(value).toLocaleString('en');
  const told = ({ perSecond, perCpuSecond, p99Ms }: ServerFigures) =>
    `${whole(perSecond)}/s, p99 ${p99Ms.toFixed(1)} ms; ${whole(perCpuSecond)} per CPU second`;
  const table = new Table({
    head: ['what', 'measured', 'must reach', 'reference in the same run'],
    style: { head: [], border: [] },
  });
  table.push(
    [
      `in process, four levels, ${whole(keys)} keys, decisions per CPU second`,
      whole(memory.decisionsPerSecond),
      '>= 300,000',
      `one level: rate-limiter-flexible ${whole(memory.flexiblePerSecond)}, express-rate-limit ${whole(memory.expressPerSecond)}`,
    ],
    [
      'the same, asks made as they come',
      whole(memory.freshPerSecond),
      '>= 300,000',
      'beside a million asks that are kept, every look at one waits for the memory',
    ],
    ['bytes per key with four windows', whole(memory.bytesPerKey), '<= 1,024', ''],
    ['HTTP, four levels', told(http), '20,000/s at p99 <= 5 ms', `node:http that decides nothing: ${told(bareHttp)}`],
    [
      'gRPC of Envoy, four levels',
      told(grpc),
      '>= 12,000 per core',
      `@grpc/grpc-js that decides nothing: ${told(bareGrpc)}`,
    ],
    [
      "Redis, four levels, decisions per second of the server's CPU",
      whole(redis.decisionsPerCpuSecond),
      '>= 25,000',
      `bare INCR ${whole(redis.incrPerCpuSecond)}`,
    ],
  );
  console.log(`${cpus().length} cores, ${cpus()[0]?.model}, Node ${process.versions.node}`);
  console.log(table.toString());
}
