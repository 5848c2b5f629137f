import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { repository } from './support/data.ts';

/** Imports and exports of values: types are gone before a file is loaded, and `import()` loads when it is called. */
const LOADS = /^(?:import|export) (?:(?:\w+, )?\{[^}]*\}|\* as \w+|\w+) from '([^']+)';$/gm;

/** Every file that is loaded before `file` runs, and every package. */
function loadedBefore(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, from] of readFileSync(file, 'utf8').matchAll(LOADS)) {
    if (from!.startsWith('.')) loadedBefore(join(dirname(file), from!), seen);
    else if (!from!.startsWith('node:')) seen.add(from!);
  }
  return seen;
}

test('a command loads no engine, no listener and no reader of bills before it needs one', () => {
  const loaded = [...loadedBefore(join(repository, 'src', 'main.ts'))];
  const packages = loaded.filter((each) => !each.startsWith(repository)).sort();
  expect(packages).toEqual(['better-sqlite3', 'cli-table3', 'commander', 'fzstd', 'zod']);
  const rooms = loaded.flatMap((each) => /src\/(\w+)\/index\.ts$/.exec(each)?.[1] ?? []);
  expect(rooms.sort()).toEqual(['cli', 'model']);
});
