import { describe, expect, it } from 'vitest';
import { headEnd, readPlainHead } from './plain-request.ts';

const plain = [
  'POST /api/v1/limits/check?a=b HTTP/1.1',
  'Host: localhost',
  'Content-Length: 7',
  'x-blank: \t7 ',
  'X-Name: Jos\xe9 \xa0',
];
const text = (lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`;

describe('the head of a request', () => {
  it('is read where nothing of it is unusual', () => {
    expect(readPlainHead(text(plain))).toEqual({
      ...{ method: 'POST', path: '/api/v1/limits/check', query: 'a=b', bodyBytes: 7 },
      headers: { __proto__: null, host: 'localhost', 'content-length': '7', 'x-blank': '7', 'x-name': 'Jos\xe9 \xa0' },
    });
    const authz = ['GET /authz HTTP/1.1', 'host: [::1]:4700', 'connection: Keep-Alive'];
    expect(readPlainHead(text(authz))).toMatchObject({ method: 'GET', path: '/authz', query: '', bodyBytes: 0 });
  });

  it.each([
    ['another version', [plain[0]!.replace('1.1', '1.0'), ...plain.slice(1)]],
    ['another method', [plain[0]!.replace('POST', 'PUT'), ...plain.slice(1)]],
    ['a whole address', [plain[0]!.replace(' /', ' http://localhost/'), ...plain.slice(1)]],
    ['two spaces', [plain[0]!.replace(' /', '  /'), ...plain.slice(1)]],
    ['a fragment of a second line', [`${plain[0]}\n`, ...plain.slice(1)]],
    ['no Host', plain.filter((line) => !line.startsWith('Host'))],
    ['two hosts', [...plain, 'host: other']],
    ['two lengths', [...plain, 'content-length: 7']],
    ['lengths in a list', plain.map((line) => line.replace('7', '7, 7'))],
    ['a length with a tab', plain.map((line) => line.replace('7', '\t7'))],
    ['a signed length', plain.map((line) => line.replace('7', '+7'))],
    ['a length in hexadecimal', plain.map((line) => line.replace('7', '0x7'))],
    ['chunks', [...plain, 'transfer-encoding: chunked']],
    ['a name with a space before its colon', [...plain, 'transfer-encoding : chunked']],
    ['a header that goes on in the next line', [...plain, ' more']],
    ['a header without a name', [...plain, ': x']],
    ['a header without a colon', [...plain, 'x']],
    ['a bare line feed', [...plain, 'x: y\nz: w']],
    ['a bare carriage return', [...plain, 'x: y\rz: w']],
    ['a zero byte', [...plain, 'x: \0']],
    ['a farewell', [...plain, 'connection: close']],
    ['an upgrade', [...plain, 'connection: upgrade', 'upgrade: h2c']],
    ['an expectation', [...plain, 'expect: 100-continue']],
    ['a body of a GET', ['GET /authz HTTP/1.1', 'host: localhost', 'content-length: 1']],
  ])('with %s is left to the server', (_, lines) => {
    expect(readPlainHead(text(lines))).toBeNull();
  });

  it('of a million spaces and colons is refused as fast as it is read', () => {
    for (const evil of [`a:${' '.repeat(1e6)}\0`, `${'a'.repeat(1e6)} :`, `a${':'.repeat(1e6)}\0`])
      expect(readPlainHead(text([...plain, evil]))).toBeNull();
  });

  it('ends at its empty line, and is not looked for beyond what a head may have', () => {
    const bytes = Buffer.from(`xx${text(plain)}{"a":1}`, 'latin1');
    expect(bytes.subarray(headEnd(bytes, 2)).toString()).toBe('{"a":1}');
    expect(headEnd(bytes.subarray(0, -9), 2)).toBe(-1);
    expect(headEnd(Buffer.from(text([...plain, `x: ${'y'.repeat(9_000)}`])), 0)).toBe(-1);
  });
});
