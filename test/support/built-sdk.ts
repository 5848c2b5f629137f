import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = new URL('../../', import.meta.url).pathname;
const SOURCES = ['sdk/src', 'sdk/package.json', 'sdk/tsconfig.json'];

/** Builds the package for Node where it is missing or older than its sources. Gives  what programs import. */
export function ensureBuiltSdk(): string {
  const built = join(ROOT, 'sdk/dist/index.js');
  const newest = Math.max(...SOURCES.map((source) => newestChange(join(ROOT, source))));
  if (!existsSync(built) || statSync(built).mtimeMs < newest)
    execFileSync('npm', ['run', 'build', '-w', 'sdk'], { cwd: ROOT, stdio: 'pipe' });
  return built;
}

function newestChange(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(...readdirSync(path).map((name) => newestChange(join(path, name))));
}
