import { spawnSync } from 'node:child_process';
import { appendFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/taximeter.js', import.meta.url));
const LINES_PER_WRITE = 100_000;

export interface LineFigures {
  readonly lines: number;
  readonly linesPerSecond: number;
  /** Null where goaccess is not installed. */
  readonly goaccessLinesPerSecond: number | null;
}

export const logForms = {
  combined: { goaccess: 'COMBINED', line: combinedLine },
  'aws-alb': { goaccess: 'AWSALB', line: albLine },
} as const;

/** Log lines from a file to queryable usage, as one command with all that starting it takes, against goaccess on the same file. */
export function benchLines(format: keyof typeof logForms, lines: number, folder: string): LineFigures {
  const { goaccess, line } = logForms[format];
  const [path, data] = [`${folder}/${format}.log`, `${folder}/lines-${format}`];
  writeLog(path, lines, line);
  const ours = seconds(process.execPath, [bin, 'ingest', path, '--format', format, '--data', data]);
  const hasGoaccess = spawnSync('goaccess', ['--version']).status === 0;
  const report = ['--no-progress', '-o', `${folder}/report.json`];
  const theirs = hasGoaccess ? seconds('goaccess', [path, `--log-format=${goaccess}`, ...report]) : null;
  rmSync(data, { recursive: true });
  rmSync(path);
  return { lines, linesPerSecond: lines / ours, goaccessLinesPerSecond: theirs === null ? null : lines / theirs };
}

function seconds(command: string, args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr.slice(-500)}`);
  return (performance.now() - start) / 1000;
}

function writeLog(path: string, lines: number, line: (at: number, second: number) => string): void {
  for (let from = 0; from < lines; from += LINES_PER_WRITE) {
    const length = Math.min(LINES_PER_WRITE, lines - from);
    const texts = Array.from({ length }, (_, at) => line(from + at, Math.floor(((from + at) / lines) * 86_400)));
    appendFileSync(path, `${texts.join('\n')}\n`);
  }
}

const PATHS = ['/v1/orders', '/v1/orders/81726354', '/v1/users/7/cart', '/v1/search?q=shoes', '/health'];

function clock(second: number): string {
  const parts = [second / 3600, (second / 60) % 60, second % 60];
  return parts.map((part) => String(Math.floor(part)).padStart(2, '0')).join(':');
}

/** Of 500 users all day long: a minute has nearly as many groups as lines. */
function combinedLine(at: number, second: number): string {
  const address = `10.${at % 7}.${at % 251}.${at % 199}`;
  const answer = `${at % 50 === 0 ? 500 : 200} ${(at * 37) % 9000}`;
  return `${address} - user${at % 500} [05/Oct/2026:${clock(second)} +0000] "GET ${PATHS[at % PATHS.length]} HTTP/1.1" ${answer} "-" "curl/8.5.0"`;
}

function albLine(at: number, second: number): string {
  const time = `2026-10-05T${clock(second)}.${String((at * 7919) % 1_000_000).padStart(6, '0')}Z`;
  const status = at % 50 === 0 ? 502 : 200;
  const took = `0.000 0.${String((at * 13) % 1000).padStart(3, '0')} 0.000`;
  const url = `https://shop.example:443${PATHS[at % PATHS.length]}`;
  const target = 'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/shop/73e2d6bc24d8a067';
  const trace = `Root=1-58337262-${String(at).padStart(24, '0')}`;
  return `https ${time} app/shop/50dc6c495c0c9188 10.${at % 7}.${at % 251}.${at % 199}:2817 10.0.0.66:9000 ${took} ${status} ${status} ${(at * 17) % 700} ${(at * 37) % 9000} "GET ${url} HTTP/1.1" "curl/8.5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 ${target} "${trace}" "shop.example" "arn:aws:acm:us-east-2:123456789012:certificate/1" 0 ${time} "forward" "-" "-" "10.0.0.66:9000" "${status}" "-" "-"`;
}
