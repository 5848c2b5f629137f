import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { detectLogFormat, findLogFormat, logFormatNames } from '../collect/front.ts';
import { fail } from '../model/index.ts';

/** What the flags of `ingest` say of a log. */
export interface LogFlags {
  readonly format: string;
  readonly tenantFrom?: string;
  readonly service: string;
  /** Which of several machines wrote the log. */
  readonly host?: string;
}

const HEAD_BYTES = 4_000;
const HEAD_LINES = 3;
const otlpFormats = ['otlp-jsonl', 'otlp-proto'];

/** Fails FORMAT_UNKNOWN for a format that does not exist. */
export function checkFormat(format: string): void {
  if (format === 'auto' || otlpFormats.includes(format) || findLogFormat(format) !== null) return;
  throw fail('FORMAT_UNKNOWN', { format, known: ['auto', ...otlpFormats, ...logFormatNames].join(', ') });
}

/** Recognises a format by the first bytes of a log; null when it is unclear. */
export function recogniseFormat(head: Buffer): string | null {
  if (/^\s*\{/.test(head.toString('latin1', 0, 100)) && /"resource(Spans|Metrics)"/.test(head.toString('latin1')))
    return 'otlp-jsonl';
  const log = detectLogFormat(head.toString('utf8'));
  if (log !== null) return log.name;
  return head.length > 4 && head[0] === 0x0a ? 'otlp-proto' : null;
}

/** What tells a log from others whatever its file is called: its first line, without the line's end. */
export function fingerprintOf(firstLine: Buffer): string {
  return createHash('sha256').update(firstLine).digest('hex');
}

/** The first line of a log. Takes  head: at least that line. */
export function firstLineOf(head: Buffer): Buffer {
  const end = head.indexOf(10);
  return end < 0 ? head : head.subarray(0, end);
}

/** The lines of a log that may say how to read the others. */
export function headText(head: Buffer): string {
  return head.toString('utf8', 0, HEAD_BYTES).split('\n').slice(0, HEAD_LINES).join('\n');
}

/** The parameters that all requests with lines of one log share. */
export function logQuery(
  file: string,
  fingerprint: string,
  head: string,
  flags: Omit<LogFlags, 'format'>,
): URLSearchParams {
  const source = file === '-' ? 'standard input' : resolve(file);
  const query = new URLSearchParams({ service: flags.service, host: flags.host ?? '', fingerprint, head, source });
  if (flags.tenantFrom !== undefined) query.set('tenantFrom', flags.tenantFrom);
  return query;
}

/** Where the next lines go. */
export function linesPath(format: string, query: URLSearchParams, offset: number, firstLine: number): string {
  query.set('offset', String(offset));
  query.set('firstLine', String(firstLine));
  return `/api/v1/logs/${encodeURIComponent(format)}?${query}`;
}
