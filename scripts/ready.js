// Makes a checkout ready to run: installs what is missing and builds what is older than its source. Uses nothing but Node and npm.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const installedStamp = join(root, 'node_modules', '.taximeter-installed');
const parts = [
  { name: 'server', stamp: join(root, 'dist', '.built'), sources: ['src', 'tsconfig.json', 'tsconfig.build.json', 'package.json'], command: ['exec', '--', 'tsc', '-p', 'tsconfig.build.json'] },
  { name: 'dashboards', stamp: join(root, 'web', 'dist', '.built'), sources: ['web/src', 'web/index.html', 'web/package.json', 'web/vite.config.ts', 'src/serve/contract'], command: ['run', 'build', '-w', 'web'] },
  { name: 'package for Node', stamp: join(root, 'sdk', 'dist', '.built'), sources: ['sdk/src', 'sdk/package.json', 'sdk/tsconfig.json', 'tsconfig.json'], command: ['run', 'build', '-w', 'sdk'] },
];

function newest(path) {
  if (!existsSync(path)) return 0;
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), mtimeMs);
}

function npm(args, why) {
  process.stderr.write(`${why}\n`);
  const { status } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (status !== 0) {
    process.stderr.write(`npm ${args.join(' ')} failed; see above.\n`);
    process.exit(status ?? 1);
  }
}

function stamp(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Installs the packages of the lock file, unless they are there. */
export function install() {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (existsSync(installedStamp) && readFileSync(installedStamp, 'utf8') === lock) return;
  // Not `npm ci`: it refuses a lock file that leaves out the binaries of platforms its registry does not have.
  npm(['install', '--no-audit', '--no-fund'], 'Installing packages (the first time this compiles SQLite and takes a minute or two) ...');
  stamp(installedStamp, readFileSync(join(root, 'package-lock.json'), 'utf8'));
}

/** Builds server and dashboards, unless they are newer than their sources. */
export function build() {
  for (const { name, stamp: path, sources, command } of parts) {
    const changed = Math.max(...sources.map((source) => newest(join(root, source))));
    if (existsSync(path) && statSync(path).mtimeMs >= changed) continue;
    npm(command, `Building the ${name} ...`);
    stamp(path, new Date().toISOString());
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  install();
  build();
}
