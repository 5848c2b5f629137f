import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { fileLineChunks, type LineChunk } from './read-input.ts';

const MB = 1 << 20;
const folder = tempFolder('read-input');
afterAll(() => folder.remove());

/** Copies: the bytes of a chunk are only good for a while. */
async function chunksOf(text: Buffer): Promise<LineChunk[]> {
  const path = join(folder.path, 'input.log');
  writeFileSync(path, text);
  const chunks: LineChunk[] = [];
  for await (const chunk of fileLineChunks(path)) chunks.push({ ...chunk, bytes: Buffer.from(chunk.bytes) });
  rmSync(path);
  return chunks;
}

const lines = (sizeBytes: number) => Buffer.from('0123456\n'.repeat(sizeBytes / 8));
const longLine = (sizeBytes: number) => Buffer.concat([Buffer.alloc(sizeBytes - 1, 'x'), Buffer.from('\n')]);

describe('a file in chunks of whole lines', () => {
  it.each<readonly [string, Buffer]>([
    ['an empty file', Buffer.alloc(0)],
    ['one line without an end', Buffer.from('x')],
    ['as long as a chunk', lines(8 * MB)],
    ['lines over several chunks, the last without an end', Buffer.concat([lines(30 * MB), Buffer.from('rest')])],
    ['a line longer than a chunk', Buffer.concat([lines(5 * MB), longLine(20 * MB), lines(9 * MB)])],
    ['a line nearly as long as may be', Buffer.concat([lines(5 * MB), longLine(59 * MB), lines(9 * MB)])],
  ])('%s comes back as it was', async (_, text) => {
    const chunks = await chunksOf(text);
    expect(Buffer.concat(chunks.map(({ bytes }) => bytes)).equals(text)).toBe(true);
    let [offset, firstLine] = [0, 1];
    for (const chunk of chunks) {
      expect({ offset: chunk.offset, firstLine: chunk.firstLine }).toEqual({ offset, firstLine });
      offset += chunk.bytes.length;
      firstLine += chunk.bytes.reduce((count, byte) => (byte === 10 ? count + 1 : count), 0);
      // More than this is not taken as one body.
      expect(chunk.bytes.length).toBeLessThanOrEqual(64 * MB);
    }
    for (const { bytes } of chunks.slice(0, -1)) expect(bytes.at(-1)).toBe(10);
  });

  it('without an end of a line for too long is refused, with its line', async () => {
    const text = Buffer.concat([lines(8), Buffer.alloc(62 * MB, 'x')]);
    await expect(chunksOf(text)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE', facts: { line: 2 } });
  });
});
