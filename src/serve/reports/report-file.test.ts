import { readdirSync, readFileSync } from 'node:fs';
import type * as Files from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { writeReport } from './report-file.ts';

const steps = vi.hoisted((): string[] => []);
vi.mock('node:fs/promises', async (original) => {
  const files = await original<typeof Files>();
  return {
    ...files,
    open: async (path: string, ...rest: [string, number]) => {
      const file = await files.open(path, ...rest);
      const sync = file.sync.bind(file);
      file.sync = () => {
        steps.push(`sync ${basename(path)}`);
        return sync();
      };
      return file;
    },
    rename: (from: string, to: string) => {
      steps.push(`rename ${basename(from)}`);
      return files.rename(from, to);
    },
  };
});

const folder = tempFolder('report-file');
afterAll(() => folder.remove());

test('a report is on the disk under its name before it counts as written', async () => {
  const path = join(folder.path, 'reports');
  expect(await writeReport(path, 'daily.txt', 'first')).toBeNull();
  expect(steps).toEqual(['sync daily.txt.part', 'rename daily.txt.part', 'sync reports']);
  expect(await writeReport(path, 'daily.txt', 'second')).toBeNull();
  expect(readFileSync(join(path, 'daily.txt'), 'utf8')).toBe('second');
  expect(readdirSync(path)).toEqual(['daily.txt']);
});
