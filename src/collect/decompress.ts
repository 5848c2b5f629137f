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
  try {
    return await gunzipAsync(body, { maxOutputLength: limitBytes });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw fail('BODY_TOO_LARGE', { limitBytes }, [], cause);
    throw fail('BODY_MALFORMED', { reason: 'the gzip data is damaged or cut short' }, [], cause);
  }
}
