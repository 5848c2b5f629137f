import { createReadStream } from 'node:fs';
import { fail } from '../model/index.ts';
import type { LinesAnswer } from '../serve/contract/lines.ts';
import type { Cli } from './context.ts';
import {
  checkFormat,
  fingerprintOf,
  firstLineOf,
  headText,
  type LogFlags,
  linesPath,
  logQuery,
  recogniseFormat,
} from './log-query.ts';
import { isBusy, patiently } from './patience.ts';
import {
  checkFile,
  fileLineChunks,
  type LineChunk,
  lineChunks,
  type Packing,
  unpacked,
  unpackedInput,
  withPauses,
} from './read-input.ts';

export interface IngestResult {
  readonly file: string;
  readonly format: string;
  accepted: number;
  refused: number;
  readonly reasons: Record<string, number>;
  readonly malformed: { line: number; reason: string }[];
}

const PROGRESS_BYTES = 256 << 20;
const MOST_SHOWN = 20;
const HEAD_BYTES = 1 << 20;
const INPUT_PAUSE_MS = 1_000;

/**
 * Sends a file's content to the API, part by part; of a log two parts may be on their way at once.
 *
 * Gives  what was accepted and what was refused; a packed file that is cut short is refused before its first line is used.
 * Fails  FILE_UNREADABLE, FILE_DAMAGED, FORMAT_UNKNOWN, BODY_MALFORMED.
 */
export async function ingestFile(cli: Cli, file: string, flags: LogFlags): Promise<IngestResult> {
  checkFormat(flags.format);
  if (file === '-') {
    const input = unpackedInput(process.stdin);
    if (flags.format === 'otlp-proto') return ingestProtobuf(cli, file, input);
    return ingestLines(cli, file, lineChunks(withPauses(input, INPUT_PAUSE_MS), file), flags);
  }
  const packing = await checkFile(file);
  const head = await firstBytes(file, packing);
  if (head.length === 0) return nothingSent(file, 'empty');
  const format = flags.format === 'auto' ? recognised(cli, file, head) : flags.format;
  if (format === 'otlp-proto') return ingestProtobuf(cli, file, unpacked(file, packing));
  const chunks = packing === 'plain' ? fileLineChunks(file) : lineChunks(unpacked(file, packing), file);
  return ingestLines(cli, file, chunks, { ...flags, format });
}

/** The result of a file of which nothing was sent yet. */
export function nothingSent(file: string, format: string): IngestResult {
  return { file, format, accepted: 0, refused: 0, reasons: {}, malformed: [] };
}

async function ingestLines(
  cli: Cli,
  file: string,
  chunks: AsyncIterable<LineChunk>,
  flags: LogFlags,
): Promise<IngestResult> {
  let result = nothingSent(file, flags.format);
  let query: URLSearchParams | null = null;
  let shown = PROGRESS_BYTES;
  // While one part of a log is made durable the next one is read and taken. Of spans that were sent twice the first one counts, so
  // telemetry goes part by part.
  let underWay: Promise<void> = Promise.resolve();
  for await (const chunk of chunks) {
    if (query === null) {
      const head = chunk.bytes;
      query = logQuery(file, fingerprintOf(firstLineOf(head)), headText(head), flags);
      if (result.format === 'auto') result = nothingSent(file, recognised(cli, file, head));
      if (result.format === 'otlp-proto') throw fail('FORMAT_UNKNOWN', { file });
    }
    const path = linesPath(result.format, query, chunk.offset, chunk.firstLine);
    const send = () => cli.ask<LinesAnswer>('POST', path, chunk.bytes, 'text/plain');
    const sent = patiently(send, { isPassing: isBusy, say: (text) => cli.warn(text) });
    const before = underWay;
    underWay = sent.then(async (answer) => {
      await before;
      addAnswer(result, answer, chunk.firstLine);
    });
    // Whoever waits for it hears of it; until then it is nobody's unhandled failure.
    underWay.catch(() => undefined);
    // What is on its way when a part fails arrives nevertheless: nobody goes on, or away, before it has.
    await before.catch(async (cause: unknown) => {
      await sent.catch(() => undefined);
      throw cause;
    });
    if (result.format.startsWith('otlp')) await underWay;
    if (chunk.offset > shown) {
      cli.warn(`${file}: ${Math.round(chunk.offset / 2 ** 20)} MB, ${result.accepted} accepted`);
      shown = chunk.offset + PROGRESS_BYTES;
    }
  }
  await underWay;
  return result;
}

/** Adds what an answer says. Takes  firstLine: the number of the first line that was sent. */
export function addAnswer(result: IngestResult, answer: LinesAnswer, firstLine: number): void {
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
async function ingestProtobuf(cli: Cli, file: string, bytes: AsyncIterable<Buffer>): Promise<IngestResult> {
  const result = nothingSent(file, 'otlp-proto');
  const parts: Buffer[] = [];
  for await (const part of bytes) parts.push(part);
  const body = Buffer.concat(parts);
  const path = '/api/v1/logs/otlp-proto';
  addAnswer(result, await cli.ask<LinesAnswer>('POST', path, body, 'application/octet-stream'), 1);
  return result;
}

function recognised(cli: Cli, file: string, head: Buffer): string {
  const format = recogniseFormat(head.subarray(0, HEAD_BYTES));
  if (format === null) throw fail('FORMAT_UNKNOWN', { file: file === '-' ? 'standard input' : file });
  cli.warn(`taximeter: ${file}: format ${format}`);
  return format;
}

async function firstBytes(file: string, packing: Packing): Promise<Buffer> {
  const head: Buffer[] = [];
  if (packing === 'plain') {
    for await (const chunk of createReadStream(file, { end: HEAD_BYTES - 1 })) head.push(chunk as Buffer);
    return Buffer.concat(head);
  }
  for await (const chunk of unpacked(file, packing)) return chunk;
  return Buffer.alloc(0);
}
