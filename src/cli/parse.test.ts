import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { parseFile } from './parse.ts';

const folder = tempFolder('parse');
afterAll(() => folder.remove());

const line = '10.1.2.3 - - [01/Aug/2022:03:04:05 +0000] "GET /a HTTP/1.1" 200 42 "-" "x"';
const shown =
  '{"ts":"2022-08-01T03:04:05.000Z","method":"GET","path":"/a","status":200,"bytes_out":42,"client_ip":"10.1.2.3","user_agent":"x","protocol":"HTTP/1.1"}';

async function parsed(content: string | Buffer, format: string) {
  const file = join(folder.path, 'a.log');
  writeFileSync(file, content);
  const out: string[] = [];
  const err: string[] = [];
  await parseFile(file, format, { print: (text) => out.push(...text.split('\n')), warn: (text) => err.push(text) });
  return { out, err: err.map((text) => text.replaceAll(file, 'FILE')) };
}

describe('parse', () => {
  it('prints one object per line, and names what is refused with file, line and reason', async () => {
    const { out, err } = await parsed(`${line}\nnonsense\r\n\n${line}`, 'combined');
    expect(out).toEqual([shown, '{"error":"line_malformed","line":2}', '{"error":"header","line":3}', shown]);
    expect(err).toEqual(['taximeter: FILE: line 2: line_malformed']);
  });

  it('says what auto took', async () => {
    const { out, err } = await parsed(gzipSync(`${line}\n`), 'auto');
    expect(out).toEqual([shown]);
    expect(err).toEqual(['taximeter: FILE: format combined']);
  });

  it('follows a pattern', async () => {
    const { out } = await parsed('2022-08-01T03:04:05.000007Z 200\n', 'pattern:$time_iso8601 $status');
    expect(out).toEqual(['{"ts":"2022-08-01T03:04:05.000007Z","status":200}']);
  });

  it('sums up many refusals', async () => {
    const { err } = await parsed('nonsense\n'.repeat(30), 'combined');
    expect(err).toHaveLength(21);
    expect(err.at(-1)).toBe('taximeter: FILE: 30 lines refused: 30 line_malformed');
  });

  it.each([
    ['a format that does not exist', 'nonsense', line],
    ['a pattern without time', 'pattern:$status', line],
    ['auto for text', 'auto', 'nonsense\n'],
  ])('fails for %s', async (_, format, content) => {
    await expect(parsed(content, format)).rejects.toMatchObject({ code: 'FORMAT_UNKNOWN' });
  });
});
