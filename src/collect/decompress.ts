import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { fail } from '../model/index.ts';

const gunzipAsync = promisify(gunzip);

/**
 * Unpacks a request body.
 *
 * Takes  encoding: the Content-Encoding, empty or `identity` or `gzip`. limitBytes: of the unpacked body.
 * Fails  BODY_TOO_LARGE as soon as the limit is passed; BODY_MALFORMED; BODY_TYPE_UNSUPPORTED for other encodings.
 */
export async function unpack(body: Buffer, encoding: string, limitBytes: number): Promise<Buffer> {
  if (body.length > limitBytes) throw fail('BODY_TOO_LARGE', { limitBytes });
  if (encoding === '' || encoding === 'identity') return body;
  if (encoding !== 'gzip') throw fail('BODY_TYPE_UNSUPPORTED', { contentEncoding: encoding.slice(0, 40) });
  return await oneOfFew(() => gunzipped(body, limitBytes));
}

async function gunzipped(body: Buffer, limitBytes: number): Promise<Buffer> {
  try {
    return await gunzipAsync(body, { maxOutputLength: limitBytes });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw fail('BODY_TOO_LARGE', { limitBytes }, [], cause);
    throw fail('BODY_MALFORMED', { reason: 'the gzip data is damaged or cut short' }, [], cause);
  }
}

const AT_ONCE = 4;
let running = 0;
const queue: (() => void)[] = [];

/** Small packed bodies may unpack to the limit each: only a few of them are unpacked at a time. */
async function oneOfFew<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((turn) => queue.push(turn));
  else running += 1;
  try {
    return await work();
  } finally {
    const next = queue.shift();
    if (next) next();
    else running -= 1;
  }
}
