import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = new URL('../../../', import.meta.url).pathname;
const SOURCES = ['web/src', 'web/public', 'web/index.html', 'web/vite.config.ts', 'src/serve/contract/contract.ts'];

/** Builds web/dist where it is missing or older than its sources, so that a test never looks at yesterday's page. */
export function ensureBuiltDashboard(): void {
  const built = join(ROOT, 'web/dist/index.html');
  const newest = Math.max(...SOURCES.map((source) => newestChange(join(ROOT, source))));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  execFileSync('npm', ['run', 'build', '-w', 'web'], { cwd: ROOT, stdio: 'pipe' });
}

function newestChange(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(...readdirSync(path).map((name) => newestChange(join(path, name))));
}
