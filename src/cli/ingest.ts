import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { parseCombined } from '../collect/index.ts';
import { fail } from '../model/index.ts';
import type { LinesAnswer } from '../serve/contract/contract.ts';
import type { Cli } from './context.ts';
import { checkFile, lineChunks, type Packing, unpacked } from './read-input.ts';

export type InputFormat = 'otlp-jsonl' | 'otlp-proto' | 'combined';

export interface IngestResult {
  readonly file: string;
  readonly format: InputFormat;
  accepted: number;
  refused: number;
  readonly reasons: Record<string, number>;
  readonly malformed: { line: number; reason: string }[];
}

const PROGRESS_BYTES = 256 << 20;
const MOST_SHOWN = 20;

/**
 * Sends a file's content to the API, in its order.
 *
 * Gives  what was accepted and what was refused; a packed file that is cut short is refused before its first line is used.
 * Fails  FILE_UNREADABLE, FILE_DAMAGED, FORMAT_UNKNOWN, BODY_MALFORMED.
 */
export async function ingestFile(
  cli: Cli,
  file: string,
  flags: { readonly format: string; readonly tenantFrom?: string; readonly service: string },
): Promise<IngestResult> {
  const packing = file === '-' ? 'plain' : await checkFile(file);
  const format = await formatOfFile(file, packing, flags.format);
  const result: IngestResult = { file, format, accepted: 0, refused: 0, reasons: {}, malformed: [] };
  if (format === 'otlp-proto') return ingestProtobuf(cli, file, packing, result);
  let fingerprint = '';
  let shown = PROGRESS_BYTES;
  for await (const chunk of lineChunks(unpacked(file, packing), file)) {
    fingerprint ||= createHash('sha256')
      .update(chunk.text.slice(0, chunk.text.indexOf('\n') >>> 0))
      .digest('hex');
    const query = new URLSearchParams({ service: flags.service, fingerprint, offset: String(chunk.offset) });
    if (flags.tenantFrom !== undefined) query.set('tenantFrom', flags.tenantFrom);
    const answer = await cli.ask<LinesAnswer>(
      'POST',
      `/api/v1/logs/${format}?${query}`,
      chunk.text,
      'text/plain; charset=utf-8',
    );
    add(result, answer, chunk.firstLine);
    if (chunk.offset > shown) {
      cli.warn(`${file}: ${Math.round(chunk.offset / 2 ** 20)} MB, ${result.accepted} accepted`);
      shown = chunk.offset + PROGRESS_BYTES;
    }
  }
  return result;
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

async function formatOfFile(file: string, packing: Packing, asked: string): Promise<InputFormat> {
  if (asked === 'common') return 'combined';
  if (asked === 'otlp-jsonl' || asked === 'otlp-proto' || asked === 'combined') return asked;
  if (asked !== 'auto')
    throw fail('FORMAT_UNKNOWN', { format: asked, known: 'auto, otlp-jsonl, otlp-proto, combined, common' });
  if (file === '-') throw fail('FORMAT_UNKNOWN', { file: 'standard input' });
  const head = await firstBytes(file, packing);
  const lines = head.toString('utf8').split('\n').slice(0, 10);
  if (/^\s*\{/.test(lines[0] ?? '') && /"resource(Spans|Metrics)"/.test(head.toString('latin1'))) return 'otlp-jsonl';
  if (lines.some((line) => parseCombined(line.replace(/\r$/, '')) !== null)) return 'combined';
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
