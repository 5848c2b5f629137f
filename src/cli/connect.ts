import { Failure, type FailureCode, fail, failures, type Problem } from '../model/index.ts';
import type { Api } from '../serve/index.ts';
import { type RunningServer, runningServer } from '../store/front.ts';
import { serverApi } from './ask-server.ts';
import type { Config } from './config.ts';

/** Opens the data folder in this process; given by main.ts. */
export type OpenLocally = (config: Config) => Promise<{ readonly api: Api; readonly close: () => Promise<void> }>;

/** The API that commands talk to, whether a server runs it or this process does. */
export interface Connection {
  /** Sends a request; gives the decoded answer. Fails with the code that the API failed with. */
  ask<Answer>(method: string, path: string, body?: Body, type?: string): Promise<Answer>;
  /** Sends what is answered in another form than JSON, such as OTLP; gives nothing. */
  send(path: string, body: Uint8Array, type: string): Promise<void>;
  /** Asks for an export; gives its bytes as they come. */
  read(path: string): Promise<ReadableStream<Uint8Array>>;
  close(): Promise<void>;
}

type Body = string | Uint8Array | ReadableStream<Uint8Array>;

const LOCAL = 'http://127.0.0.1';
const WAIT_MS = 5_000;

/**
 * Finds the server that holds the data folder and talks to it; without one, opens the folder itself.
 *
 * Fails  DATA_IN_USE when another command holds the folder for longer than a few seconds.
 */
export async function connect(config: Config, openLocally: OpenLocally): Promise<Connection> {
  for (let waitedMs = 0; ; waitedMs += 200) {
    const server = runningServer(config.folder);
    const running = connectRunning(server);
    if (running !== null) return running;
    const isPatient = waitedMs < WAIT_MS;
    if (server === null) {
      const opened = await openLocally(config).catch((cause: unknown) => {
        // Another command was faster.
        if (isPatient && cause instanceof Failure && cause.code === 'DATA_IN_USE') return null;
        throw cause;
      });
      if (opened !== null) return connection(LOCAL, '', opened.api, opened.close);
    } else if (!isPatient) throw fail('DATA_IN_USE', { folder: config.folder, pid: server.pid });
    await new Promise((done) => setTimeout(done, 200));
  }
}

/** Talks to a server that was found; null when none listens yet. */
export function connectRunning(server: RunningServer | null): Connection | null {
  if (server === null || server.url === '') return null;
  const { api, close } = serverApi();
  return connection(server.url, server.token, api, async () => close());
}

function connection(base: string, token: string, send: Api, close: () => Promise<void>): Connection {
  const sent = async (method: string, path: string, body: Body | undefined, type: string): Promise<Response> => {
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': type };
    if (token !== '') headers.authorization = `Bearer ${token}`;
    // Bytes are given beside the request, which would copy them.
    const isBytes = body instanceof Uint8Array;
    const init = { method, headers, ...(body === undefined || isBytes ? {} : { body, duplex: 'half' }) };
    const answer = await send(new Request(base + path, init as RequestInit), isBytes ? { body } : {});
    if (!answer.ok) throw failureOf(answer, await answer.text());
    return answer;
  };
  const request = async (...what: Parameters<typeof sent>) => (await sent(...what)).text();
  return {
    close,
    ask: async <Answer>(method: string, path: string, body?: Body, type = 'application/json') =>
      JSON.parse(await request(method, path, body, type)) as Answer,
    read: async (path) => (await sent('GET', path, undefined, '')).body ?? new ReadableStream(),
    send: async (path, body, type) => {
      await request('POST', path, body, type);
    },
  };
}

/** Makes the failure again that the API's problem details describe; with when to try again, where the API says so. */
function failureOf({ status, headers }: Response, text: string): Failure {
  try {
    const problem = JSON.parse(text) as { code: FailureCode; detail: string; errors?: Problem[] };
    if (!(problem.code in failures)) return fail('INTERNAL', { status });
    const retryAfterSeconds = Number(headers.get('retry-after') ?? 0) || 0;
    const failure = new Failure(problem.code, { retryAfterSeconds }, problem.errors ?? []);
    failure.message = problem.detail;
    return failure;
  } catch {
    return fail('SERVER_UNREACHABLE', { status });
  }
}
