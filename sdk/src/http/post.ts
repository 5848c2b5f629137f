import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { timerMs } from './timers.ts';

const LONGEST_ANSWER = 1 << 20;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Requests of this package are not outbound calls of the program; shared by all copies of it. */
const key = Symbol.for('taximeter.requests');
const shared = globalThis as { [key]?: WeakSet<object> };
shared[key] ??= new WeakSet();
const own = shared[key];

export function isOwnRequest(request: object): boolean {
  return own.has(request);
}

/** Sends to one server over connections that are kept. */
export class Poster {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #request: typeof httpRequest;

  /** Takes  token: shown as a bearer; empty for none. */
  constructor(base: string, token: string, connections: number) {
    this.#base = new URL(base);
    const isTls = this.#base.protocol === 'https:';
    if (!isTls && this.#base.protocol !== 'http:') throw new TypeError(`not an HTTP address: ${this.#base.protocol}`);
    this.#headers = token === '' ? {} : { authorization: `Bearer ${token}` };
    this.#agent = new (isTls ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: connections });
    this.#request = isTls ? httpsRequest : httpRequest;
  }

  /**
   * Takes  timeoutMs: for the whole exchange.
   * Fails  with the error of the connection, or when the time is over; a connection that was kept too long is tried anew once.
   */
  async post(path: string, type: string, body: Buffer, timeoutMs: number): Promise<Answer> {
    try {
      return await this.#once(path, type, body, timeoutMs);
    } catch (cause) {
      if (!(cause as { isStale?: boolean }).isStale) throw cause;
      return this.#once(path, type, body, timeoutMs);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #once(path: string, type: string, body: Buffer, timeoutMs: number): Promise<Answer> {
    return new Promise((done, failed) => {
      const headers = { ...this.#headers, 'content-type': type, 'content-length': body.length };
      const at = new URL(path, this.#base);
      const request = this.#request(at, { method: 'POST', agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length <= LONGEST_ANSWER) chunks.push(chunk);
          else request.destroy(new Error('the answer is too long'));
        });
        response.once('end', () => {
          clearTimeout(timer);
          done({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
        });
        response.once('error', fails);
      });
      own.add(request);
      const timer = setTimeout(
        () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)),
        timerMs(timeoutMs),
      );
      const fails = (cause: Error & { isStale?: boolean }) => {
        clearTimeout(timer);
        cause.isStale = request.reusedSocket && (cause as NodeJS.ErrnoException).code === 'ECONNRESET';
        failed(cause);
      };
      request.once('error', fails);
      request.end(body);
    });
  }
}
