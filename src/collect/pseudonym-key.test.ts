import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { pseudonymKey } from './pseudonym-key.ts';

const folder = tempFolder('pseudonym-key');
afterAll(() => folder.remove());

it('a folder keeps its key, and nobody else reads it', () => {
  const home = join(folder.path, 'new');
  const key = pseudonymKey(home);
  expect(key).toHaveLength(32);
  expect(pseudonymKey(home)).toEqual(key);
  expect(readdirSync(home)).toEqual(['pseudonym.key']);
  expect(statSync(join(home, 'pseudonym.key')).mode & 0o777).toBe(0o600);
});

it.each([0, 5, 31, 33])('a key of %d bytes is damaged, and is left as it is', (bytes) => {
  const path = join(folder.path, 'pseudonym.key');
  writeFileSync(path, Buffer.alloc(bytes));
  expect(() => pseudonymKey(folder.path)).toThrow(expect.objectContaining({ code: 'FILE_DAMAGED' }));
  expect(readFileSync(path)).toHaveLength(bytes);
});
