import type { IncomingHttpHeaders } from 'node:http';

/** The head of a request of which nothing is unusual. */
export interface PlainHead {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly bodyBytes: number;
}

const END = Buffer.from('\r\n\r\n');
/** Longer heads are for a server that has time. */
const MOST_HEAD_BYTES = 8_192;
const REQUEST_LINE = /^(GET|POST) (\/[!-~]*) HTTP\/1\.1$/;
// Each character fits one place only, so that no line takes longer to refuse than to read.
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;
/** Who sends one of these wants something of the connection. */
const UNUSUAL = new Set([
  'transfer-encoding',
  'expect',
  'upgrade',
  'trailer',
  'te',
  'http2-settings',
  'proxy-connection',
]);

/** Gives where the head that begins at a place ends, its empty line included; -1 when it does not end here. */
export function headEnd(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(END, at);
  return end < 0 || end - at > MOST_HEAD_BYTES ? -1 : end + END.length;
}

/**
 * Reads the head of a request as most are: HTTP/1.1, each header once, a body of announced length or none.
 *
 * Takes  text: of the head in Latin-1, its empty line included.
 * Gives  null for everything else, right or wrong: whoever knows all of HTTP reads that.
 * From   RFC 9112, 2.2 to 6.3; what frames a message may only be said in one way here.
 */
export function readPlainHead(text: string): PlainHead | null {
  const lines = text.slice(0, -END.length).split('\r\n');
  const [, method, url] = REQUEST_LINE.exec(lines[0]!) ?? [];
  if (method === undefined || url === undefined) return null;
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let i = 1; i < lines.length; i++) {
    const [, name, value] = HEADER.exec(lines[i]!) ?? [];
    if (name === undefined || value === undefined) return null;
    const lower = name.toLowerCase();
    if (UNUSUAL.has(lower) || headers[lower] !== undefined) return null;
    // What frames a body is not read kindly.
    if (lower === 'content-length' && !/^ ?\d{1,9}$/.test(value)) return null;
    headers[lower] = trimmed(value);
  }
  const { host, connection = 'keep-alive', 'content-length': length = '0' } = headers;
  if (host === undefined || connection.toLowerCase() !== 'keep-alive') return null;
  const bodyBytes = Number(length);
  if (method === 'GET' && bodyBytes > 0) return null;
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  return { method: method as 'GET' | 'POST', path, query: query < 0 ? '' : url.slice(query + 1), headers, bodyBytes };
}

/** Without the spaces and tabs around it, and no others. */
function trimmed(value: string): string {
  let [first, end] = [0, value.length];
  while (first < end && isBlank(value, first)) first++;
  while (end > first && isBlank(value, end - 1)) end--;
  return value.slice(first, end);
}

function isBlank(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '\t';
}
