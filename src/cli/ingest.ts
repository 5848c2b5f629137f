import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { detectLogFormat, findLogFormat, logFormatNames } from '../collect/index.ts';
import { fail } from '../model/index.ts';
import type { LinesAnswer } from '../serve/contract/contract.ts';
import type { Cli } from './context.ts';
import { checkFile, lineChunks, type Packing, unpacked } from './read-input.ts';

export interface IngestResult {
  readonly file: string;
  readonly format: string;
  accepted: number;
  refused: number;
  readonly reasons: Record<string, number>;
  readonly malformed: { line: number; reason: string }[];
}

export interface IngestOptions {
  readonly format: string;
  readonly tenantFrom?: string;
  readonly service: string;
  /** Which of several machines wrote the log. */
  readonly host?: string;
}

const PROGRESS_BYTES = 256 << 20;
const MOST_SHOWN = 20;
const HEAD_BYTES = 4_000;
const otlpFormats = ['otlp-jsonl', 'otlp-proto'];

/**
 * Sends a file's content to the API, in its order.
 *
 * Gives  what was accepted and what was refused; a packed file that is cut short is refused before its first line is used.
 * Fails  FILE_UNREADABLE, FILE_DAMAGED, FORMAT_UNKNOWN, BODY_MALFORMED.
 */
export async function ingestFile(cli: Cli, file: string, flags: IngestOptions): Promise<IngestResult> {
  const packing = file === '-' ? 'plain' : await checkFile(file);
  const format = await formatOfFile(file, packing, flags.format);
  const result: IngestResult = { file, format, accepted: 0, refused: 0, reasons: {}, malformed: [] };
  if (format === 'otlp-proto') return ingestProtobuf(cli, file, packing, result);
  let query: URLSearchParams | null = null;
  let shown = PROGRESS_BYTES;
  for await (const chunk of lineChunks(unpacked(file, packing), file)) {
    query ??= queryOf(chunk.bytes, flags);
    query.set('offset', String(chunk.offset));
    const path = `/api/v1/logs/${encodeURIComponent(format)}?${query}`;
    add(result, await cli.ask<LinesAnswer>('POST', path, new Uint8Array(chunk.bytes), 'text/plain'), chunk.firstLine);
    if (chunk.offset > shown) {
      cli.warn(`${file}: ${Math.round(chunk.offset / 2 ** 20)} MB, ${result.accepted} accepted`);
      shown = chunk.offset + PROGRESS_BYTES;
    }
  }
  return result;
}

/** What tells a log from others and how to read it, from its first lines. */
function queryOf(head: Buffer, flags: IngestOptions): URLSearchParams {
  const firstLine = head.subarray(0, head.indexOf(10) >>> 0);
  const query = new URLSearchParams({
    service: flags.service,
    host: flags.host ?? '',
    fingerprint: createHash('sha256').update(firstLine).digest('hex'),
    head: head.toString('utf8', 0, HEAD_BYTES).split('\n').slice(0, 3).join('\n'),
  });
  if (flags.tenantFrom !== undefined) query.set('tenantFrom', flags.tenantFrom);
  return query;
}

function add(result: IngestResult, answer: LinesAnswer, firstLine: number): void {
  result.accepted += answer.accepted;
  for (const [reason, count] of Object.entries(answer.refused)) {
    result.refused += count;
    result.reasons[reason] = (result.reasons[reason] ?? 0) + count;
  }
  for (const { line, reason } of answer.malformed) {
    if (result.malformed.length < MOST_SHOWN) result.malformed.push({ line: firstLine + line - 1, reason });
  }
}

/** One file holds one trace request, as a collector's file exporter or a replay writes it. */
async function ingestProtobuf(cli: Cli, file: string, packing: Packing, result: IngestResult): Promise<IngestResult> {
  const parts: Buffer[] = [];
  for await (const part of unpacked(file, packing)) parts.push(part);
  const body = Buffer.concat(parts);
  const answer = await cli.ask<LinesAnswer>(
    'POST',
    '/api/v1/logs/otlp-proto',
    new Uint8Array(body),
    'application/octet-stream',
  );
  add(result, answer, 1);
  return result;
}

async function formatOfFile(file: string, packing: Packing, asked: string): Promise<string> {
  if (otlpFormats.includes(asked) || findLogFormat(asked) !== null) return asked;
  if (asked !== 'auto')
    throw fail('FORMAT_UNKNOWN', { format: asked, known: ['auto', ...otlpFormats, ...logFormatNames].join(', ') });
  if (file === '-') throw fail('FORMAT_UNKNOWN', { file: 'standard input' });
  const head = await firstBytes(file, packing);
  if (/^\s*\{/.test(head.toString('latin1', 0, 100)) && /"resource(Spans|Metrics)"/.test(head.toString('latin1')))
    return 'otlp-jsonl';
  const log = detectLogFormat(head.toString('utf8'));
  if (log !== null) return log.name;
  if (head.length > 4 && head[0] === 0x0a) return 'otlp-proto';
  throw fail('FORMAT_UNKNOWN', { file });
}

async function firstBytes(file: string, packing: Packing): Promise<Buffer> {
  const head: Buffer[] = [];
  if (packing === 'plain') {
    for await (const chunk of createReadStream(file, { end: (1 << 20) - 1 })) head.push(chunk as Buffer);
    return Buffer.concat(head);
  }
  for await (const chunk of unpacked(file, packing)) return chunk;
  return Buffer.alloc(0);
}
