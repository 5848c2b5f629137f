import { createHmac } from 'node:crypto';
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { type Outcome, type Unsent, unsent } from './outcome.ts';
import { reachableAddress } from './reach.ts';

export interface Posting {
  readonly url: string;
  /** Of the message: the same at every attempt. */
  readonly id: string;
  readonly body: string;
  /** `whsec_` and base64; without one the message is not signed. */
  readonly secret: string | undefined;
  readonly nowMs: number;
  readonly mayReach: (address: string) => boolean;
  readonly withinMs?: number;
}

const WEBHOOK_SECRET_PREFIX = 'whsec_';
const WITHIN_MS = 15_000;
/** Nobody reads more of an answer than this. */
const MOST_ANSWER_BYTES = 65_536;

/**
 * Posts a message and waits for its answer.
 *
 * Gives  null when it was taken: any answer with a status of 200 to 299. Redirects are not followed.
 * From   Standard Webhooks 1.0.0 for id, timestamp and signature.
 */
export async function postWebhook(posting: Posting): Promise<Outcome> {
  const url = new URL(posting.url);
  const reached = await reachableAddress(url.hostname, posting.mayReach);
  if ('reason' in reached) return reached;
  const status = await statusOf(posting, url, reached);
  if (typeof status !== 'number') return status;
  if (status >= 200 && status < 300) return null;
  return unsent(`${url.host} answered ${status}`, status < 500 && ![408, 409, 425, 429].includes(status));
}

/** Takes  reached: an address that was looked at; a name that is asked for again could lead elsewhere by then. */
function statusOf(
  posting: Posting,
  url: URL,
  reached: { readonly address: string; readonly family: number },
): Promise<number | Unsent> {
  const { body, withinMs = WITHIN_MS } = posting;
  const request = url.protocol === 'https:' ? requestSecure : requestPlain;
  const signal = AbortSignal.timeout(withinMs);
  return new Promise<number | Unsent>((done) => {
    const told = (cause: Error) =>
      done(unsent(signal.aborted ? `${url.host} did not answer in time` : `${url.host}: ${wordsOf(cause)}`));
    const sent = request(
      url,
      {
        ...{ method: 'POST', agent: false, signal, headers: headersOf(posting) },
        lookup: (_name, options, callback) => {
          if (options.all) callback(null, [{ ...reached }]);
          else callback(null, reached.address, reached.family);
        },
      },
      (answer) => readOut(answer, () => done(answer.statusCode ?? 0), told),
    );
    sent.on('error', told);
    sent.end(body);
  });
}

/** The answer is read so that the other side can end, and thrown away. */
function readOut(answer: IncomingMessage, done: () => void, failed: (cause: Error) => void): void {
  let bytes = 0;
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MOST_ANSWER_BYTES) return;
    done();
    answer.destroy();
  });
  answer.on('end', done);
  answer.on('error', failed);
}

function headersOf({ id, body, secret, nowMs }: Posting): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000));
  return {
    ...{ 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) },
    ...{ 'user-agent': 'Taximeter', 'webhook-id': id, 'webhook-timestamp': timestamp },
    ...(secret === undefined ? {} : { 'webhook-signature': `v1,${signatureOf(secret, `${id}.${timestamp}.${body}`)}` }),
  };
}

function signatureOf(secret: string, text: string): string {
  const key = Buffer.from(secret.slice(WEBHOOK_SECRET_PREFIX.length), 'base64');
  return createHmac('sha256', key).update(text).digest('base64');
}

function wordsOf(cause: Error & { code?: string }): string {
  return cause.code ?? cause.message;
}
