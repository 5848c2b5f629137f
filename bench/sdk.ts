import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CONNECTIONS = 50;
const TURN_MS = 2_000;
const TICKS_PER_SECOND = 100;
const server = fileURLToPath(new URL('./sdk-server.ts', import.meta.url));
const request = 'GET /users/17 HTTP/1.1\r\nHost: localhost\r\nx-tenant: acme\r\nuser-agent: bench\r\n\r\n';

export interface SdkFigures {
  /** Requests a second of each turn, in order. */
  readonly bare: readonly number[];
  readonly measured: readonly number[];
  /** CPU microseconds a request, of the server's process. */
  readonly bareCpuUs: number;
  readonly measuredCpuUs: number;
  /** What the sink got of the spans that were made. */
  readonly spans: number;
  readonly delivered: number;
}

/**
 * A bare Fastify server against the same one with the middleware, in turns.
 *
 * Each is a process of its own, loaded over connections that are kept by this one, which is also where spans are sent.
 */
export async function benchSdk(turns: number, folder: string): Promise<SdkFigures> {
  const sink = await startSink();
  const outbox = join(folder, 'outbox');
  const bare = await startServer('bare', sink.url, outbox);
  const measured = await startServer('measured', sink.url, outbox);
  try {
    for (const each of [bare, measured, bare, measured]) await load(each.port, TURN_MS);
    const figures = {
      bare: [] as number[],
      measured: [] as number[],
      bareCpu: 0,
      measuredCpu: 0,
      bareDone: 0,
      measuredDone: 0,
    };
    for (let turn = 0; turn < turns; turn++) {
      // Which one begins changes, so that what changes on the machine meanwhile does not favour one.
      for (const which of turn % 2 === 0 ? (['bare', 'measured'] as const) : (['measured', 'bare'] as const)) {
        const { port, child } = which === 'bare' ? bare : measured;
        const before = cpuSeconds(child);
        const { done, seconds } = await load(port, TURN_MS);
        figures[which].push(done / seconds);
        figures[`${which}Cpu`] += cpuSeconds(child) - before;
        figures[`${which}Done`] += done;
      }
    }
    const { spans, delivered } = await measured.stop();
    await bare.stop();
    return {
      bare: figures.bare,
      measured: figures.measured,
      bareCpuUs: (figures.bareCpu / figures.bareDone) * 1e6,
      measuredCpuUs: (figures.measuredCpu / figures.measuredDone) * 1e6,
      spans,
      delivered,
    };
  } finally {
    bare.child.kill('SIGKILL');
    measured.child.kill('SIGKILL');
    sink.close();
    rmSync(outbox, { recursive: true, force: true });
  }
}

interface LoadedServer {
  readonly child: ChildProcess;
  readonly port: number;
  stop(): Promise<{ readonly spans: number; readonly delivered: number }>;
}

function startServer(mode: string, sink: string, outbox: string): Promise<LoadedServer> {
  const child = spawn(process.execPath, ['--import', 'tsx', server, mode, sink, outbox], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  child.stdout!.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().split('\n').filter(Boolean)) {
      const next = waiting.shift();
      if (next) next(line);
      else lines.push(line);
    }
  });
  const line = () => new Promise<string>((done) => (lines.length > 0 ? done(lines.shift()!) : waiting.push(done)));
  return line().then((port) => ({
    child,
    port: Number(port),
    stop: async () => {
      child.stdin!.end();
      return JSON.parse(await line()) as { spans: number; delivered: number };
    },
  }));
}

/** Takes spans as Taximeter does, and nothing else: what Taximeter does with them is measured elsewhere. */
async function startSink(): Promise<{ readonly url: string; close(): void }> {
  const sink = createServer((message, response) => {
    message.resume();
    message.once('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end());
  });
  await new Promise<void>((done) => sink.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(sink.address() as AddressInfo).port}`,
    close: () => {
      sink.closeAllConnections();
      sink.close();
    },
  };
}

/** Asks as fast as answers come, one request at a time on each connection. */
async function load(port: number, forMs: number): Promise<{ readonly done: number; readonly seconds: number }> {
  const began = performance.now();
  const endsMs = began + forMs;
  const counts = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => loadOne(connect(port, '127.0.0.1'), endsMs)),
  );
  return { done: counts.reduce((sum, each) => sum + each, 0), seconds: (performance.now() - began) / 1000 };
}

function loadOne(socket: Socket, endsMs: number): Promise<number> {
  return new Promise((finished, failed) => {
    let [done, length, held] = [0, 0, 0];
    socket.setNoDelay(true);
    socket.once('error', failed);
    socket.on('data', (chunk: Buffer) => {
      // All answers are of one length: that of the first.
      if (length === 0) length = chunk.length;
      held += chunk.length;
      if (held < length) return;
      held -= length;
      done += 1;
      if (performance.now() < endsMs) return void socket.write(request);
      socket.destroy();
      finished(done);
    });
    socket.write(request);
  });
}

/** Fields 14 and 15 of /proc/PID/stat; the name before them may hold spaces, so they are counted behind its bracket. */
function cpuSeconds({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
