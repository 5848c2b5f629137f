import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/taximeter.js', import.meta.url));

export interface LineFigures {
  readonly lines: number;
  readonly linesPerSecond: number;
  /** Null where goaccess is not installed. */
  readonly goaccessLinesPerSecond: number | null;
}

/** Combined log lines from a file to queryable usage, as one command, against goaccess on the same file. */
export function benchLines(lines: number, folder: string): LineFigures {
  const path = `${folder}/access.log`;
  writeFileSync(path, logText(lines));
  const ours = seconds(process.execPath, [bin, 'ingest', path, '--format', 'combined', '--data', `${folder}/lines`]);
  const hasGoaccess = spawnSync('goaccess', ['--version']).status === 0;
  const theirs = hasGoaccess
    ? seconds('goaccess', [path, '--log-format=COMBINED', '--no-progress', '-o', `${folder}/report.json`])
    : null;
  return { lines, linesPerSecond: lines / ours, goaccessLinesPerSecond: theirs === null ? null : lines / theirs };
}

function seconds(command: string, args: readonly string[]): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr.slice(-500)}`);
  return (performance.now() - start) / 1000;
}

function logText(lines: number): string {
  const paths = ['/v1/orders', '/v1/orders/81726354', '/v1/users/7/cart', '/v1/search?q=shoes', '/health'];
  const text: string[] = [];
  for (let i = 0; i < lines; i++) {
    const second = Math.floor((i / lines) * 86_400);
    const clock = [second / 3600, (second / 60) % 60, second % 60]
      .map((part) => String(Math.floor(part)).padStart(2, '0'))
      .join(':');
    const address = `10.${i % 7}.${i % 251}.${i % 199}`;
    text.push(
      `${address} - user${i % 500} [05/Oct/2026:${clock} +0000] "GET ${paths[i % paths.length]} HTTP/1.1" ${i % 50 === 0 ? 500 : 200} ${(i * 37) % 9000} "-" "curl/8.5.0"`,
    );
  }
  return `${text.join('\n')}\n`;
}
