import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CONNECTIONS = 50;
const TURN_MS = 1_000;
/** Where a process has its code and data changes what a request costs by several hundredths: after so many turns others are started. */
const TURNS_A_PROCESS = 8;
/** While a program is new, every call is followed, and what is not compiled yet costs most. */
const WARM_TURNS = 5;
const server = fileURLToPath(new URL('./sdk-server.js', import.meta.url));
const request = 'GET /users/17 HTTP/1.1\r\nHost: localhost\r\nx-tenant: acme\r\nuser-agent: bench\r\n\r\n';

export interface SdkFigures {
  /** Requests a second of each turn, in order. */
  readonly bare: readonly number[];
  readonly measured: readonly number[];
  /** CPU microseconds a request, by turn: of the thread that answers, and of all. */
  readonly bareCpuUs: readonly CpuUs[];
  readonly measuredCpuUs: readonly CpuUs[];
  /** What the sink got of the spans that were made. */
  readonly spans: number;
  readonly delivered: number;
}

interface CpuUs {
  readonly main: number;
  readonly all: number;
}

/**
 * A bare Fastify server against the same one with the middleware, in turns.
 *
 * Each is a process of its own, loaded over connections that are kept by this one, which is also where spans are sent.
 */
export async function benchSdk(turns: number, folder: string): Promise<SdkFigures> {
  const sink = await startSink();
  const figures = { bare: [] as number[], measured: [] as number[], spans: 0, delivered: 0 };
  const cpu = { bare: [] as CpuUs[], measured: [] as CpuUs[] };
  try {
    for (let turn = 0; turn < turns; turn += TURNS_A_PROCESS) {
      const outbox = join(folder, `outbox-${turn}`);
      const servers = {
        bare: await startServer('bare', sink.url, outbox),
        measured: await startServer('measured', sink.url, outbox),
      };
      try {
        for (let warm = 0; warm < WARM_TURNS; warm++)
          for (const which of ['bare', 'measured'] as const) await load(servers[which].port, TURN_MS);
        for (let at = turn; at < Math.min(turns, turn + TURNS_A_PROCESS); at++) {
          // Which one begins changes, so that what changes on the machine meanwhile does not favour one.
          for (const which of at % 2 === 0 ? (['bare', 'measured'] as const) : (['measured', 'bare'] as const)) {
            const { port, child } = servers[which];
            const before = cpuUs(child);
            const { done, seconds } = await load(port, TURN_MS);
            const after = cpuUs(child);
            figures[which].push(done / seconds);
            cpu[which].push({ main: (after.main - before.main) / done, all: (after.all - before.all) / done });
          }
        }
        const { spans, delivered } = await servers.measured.stop();
        figures.spans += spans;
        figures.delivered += delivered;
        await servers.bare.stop();
      } finally {
        servers.bare.child.kill('SIGKILL');
        servers.measured.child.kill('SIGKILL');
        rmSync(outbox, { recursive: true, force: true });
      }
    }
    return { ...figures, bareCpuUs: cpu.bare, measuredCpuUs: cpu.measured };
  } finally {
    sink.close();
  }
}

interface LoadedServer {
  readonly child: ChildProcess;
  readonly port: number;
  stop(): Promise<{ readonly spans: number; readonly delivered: number }>;
}

function startServer(mode: string, sink: string, outbox: string): Promise<LoadedServer> {
  const child = spawn(process.execPath, [server, mode, sink, outbox], {
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

/** What its threads have run, in microseconds; the first number of /proc/PID/task/TID/schedstat, in nanoseconds. */
function cpuUs({ pid }: ChildProcess): CpuUs {
  const ran = (thread: string) => {
    try {
      return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1000;
    } catch {
      // It has ended meanwhile.
      return 0;
    }
  };
  const threads = readdirSync(`/proc/${pid}/task`);
  return { main: ran(String(pid)), all: threads.reduce((sum, thread) => sum + ran(thread), 0) };
}
