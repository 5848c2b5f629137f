import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { findFiles } from './find-files.ts';
import { globPattern } from './glob.ts';

const folder = tempFolder('find-files');
afterAll(() => folder.remove());
const ages: readonly (readonly [name: string, age: number])[] = [
  ['access.log', 0],
  ['access.log.1', 10],
  ['access.log.2.gz', 20],
  ['access.log.10.gz', 20],
  ['error.txt', 5],
  ['deep/access.log', 30],
];
beforeAll(() => {
  for (const [name, age] of ages) {
    const path = join(folder.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, name);
    utimesSync(path, 1_000_000 - age, 1_000_000 - age);
  }
});

async function found(argument: string, include: readonly string[] = [], recursive = false) {
  const files = await findFiles(argument, { include, recursive });
  return files.map((file) => file.replace(`${folder.path}/`, ''));
}

describe('the files of an argument', () => {
  const rotated = ['access.log.10.gz', 'access.log.2.gz', 'access.log.1'];
  it.each<readonly [string, string, readonly string[], boolean, readonly string[]]>([
    ['a folder, oldest first', '', [], false, [...rotated, 'error.txt', 'access.log']],
    ['a folder with --include', '', ['*.log*'], false, [...rotated, 'access.log']],
    ['a folder with two', '', ['*.txt', '*.log'], false, ['error.txt', 'access.log']],
    ['a folder with what is below', '', ['*.log'], true, ['deep/access.log', 'access.log']],
    ['a glob', '/access.log*', [], false, [...rotated, 'access.log']],
    ['a glob over folders', '/**/access.log', [], false, ['deep/access.log', 'access.log']],
    ['a glob of folders', '/d*/*.log', [], false, ['deep/access.log']],
    ['braces and a class', '/access.{log,txt}.[0-9]', [], false, ['access.log.1']],
    ['a file', '/error.txt', ['*.log'], false, ['error.txt']],
  ])('%s', async (_, argument, include, recursive, files) => {
    expect(await found(folder.path + argument, include, recursive)).toEqual(files);
  });

  it('standard input stays itself', async () => {
    expect(await found('-')).toEqual(['-']);
  });

  it.each(['/nowhere', '/*.nothing', '/nowhere/*.log'])('there are none of %s', async (argument) => {
    await expect(found(folder.path + argument)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe('a glob', () => {
  it.each<readonly [string, string, boolean]>([
    ['*.log', 'a.log', true],
    ['*.log', 'a/b.log', false],
    ['*.log', 'aXlog', false],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['[!a]b', 'ab', false],
    ['[!a]b', 'xb', true],
    ['a{b,c*}d', 'acxd', true],
    ['**/*.log', 'a/b/c.log', true],
    ['a+(b)$', 'a+(b)$', true],
    ['a[b', 'a[b', true],
  ])('%s and %s: %s', (glob, path, isMatch) => {
    expect(globPattern(glob).test(path)).toBe(isMatch);
  });
});
