import { type FileHandle, open } from 'node:fs/promises';
import { Failure, grouped } from '../model/index.ts';
import type { LinesAnswer, QuarantineAnswer } from '../serve/contract/lines.ts';
import type { Cli } from './context.ts';
import { rotatedSiblings } from './follow/rotated.ts';
import { LONGEST_LINE_BYTES } from './lines.ts';
import { fingerprintOf, firstLineOf, headText, linesPath, logQuery } from './log-query.ts';
import { checkFile, unpacked } from './read-input.ts';

export type QuarantinedLine = QuarantineAnswer['lines'][number];

/** What became of the lines of one log that were read again. */
export interface RetryResult {
  readonly source: string;
  readonly lines: number;
  accepted: number;
  refused: number;
  /** Why nothing could be read; empty when it could. */
  readonly problem: string;
}

const PAGE = 5_000;
const HEAD_BYTES = 1 << 20;
/** The server journals what comes at the same time together. */
const AT_ONCE = 16;

/** Lists the quarantine, the newest lines first. Takes  choice: source, format, reason. */
export async function quarantinedLines(
  cli: Cli,
  choice: Readonly<Record<string, string>>,
  most = Number.POSITIVE_INFINITY,
): Promise<{ lines: QuarantinedLine[]; total: number }> {
  const lines: QuarantinedLine[] = [];
  for (let before: number | null = null; ; ) {
    const query = new URLSearchParams({ ...choice, limit: String(Math.min(PAGE, most - lines.length)) });
    if (before !== null) query.set('before', String(before));
    const page: QuarantineAnswer = await cli.ask<QuarantineAnswer>('GET', `/api/v1/quarantine?${query}`);
    lines.push(...page.lines);
    before = page.next;
    if (before === null || lines.length >= most) return { lines, total: page.total };
  }
}

/** Reads lines again from their files, at their places, and sends them; what is accepted leaves the quarantine. */
export async function retryLines(
  cli: Cli,
  lines: readonly QuarantinedLine[],
  format: string | undefined,
): Promise<RetryResult[]> {
  const results: RetryResult[] = [];
  for (const ofLog of grouped(lines, logKey).values()) results.push(await retryLog(cli, ofLog, format));
  return results;
}

function logKey({ source, fingerprint, service, host }: QuarantinedLine): string {
  return JSON.stringify([source, fingerprint, service, host]);
}

async function retryLog(cli: Cli, lines: readonly QuarantinedLine[], format: string | undefined): Promise<RetryResult> {
  const { source, fingerprint } = lines[0]!;
  const file = await fileOf(source, fingerprint);
  if (file === null) return { source, lines: lines.length, accepted: 0, refused: 0, problem: problemOf(source) };
  const result: RetryResult = { source, lines: lines.length, accepted: 0, refused: 0, problem: '' };
  const inOrder = [...lines].sort((a, b) => a.offset - b.offset);
  const head = headText(file.head);
  let underWay: Promise<void>[] = [];
  for await (const { line, bytes } of linesAt(file.path, inOrder)) {
    if (bytes.length === 0) {
      result.refused += 1;
      continue;
    }
    underWay.push(sendAgain(cli, line, bytes, head, format ?? line.format, result));
    if (underWay.length < AT_ONCE) continue;
    await Promise.all(underWay);
    underWay = [];
  }
  await Promise.all(underWay);
  return result;
}

async function sendAgain(
  cli: Cli,
  line: QuarantinedLine,
  bytes: Buffer,
  head: string,
  format: string,
  result: RetryResult,
): Promise<void> {
  const { source, fingerprint, service, host, tenantFrom, offset } = line;
  const query = logQuery(source, fingerprint, head, { service, host, ...(tenantFrom === '' ? {} : { tenantFrom }) });
  const body = new Uint8Array(Buffer.concat([bytes, Buffer.from('\n')]));
  const answer = await cli.ask<LinesAnswer>('POST', linesPath(format, query, offset, line.line), body, 'text/plain');
  result.accepted += answer.accepted;
  result.refused += Object.values(answer.refused).reduce((sum, count) => sum + count, 0);
}

function problemOf(source: string): string {
  return source.startsWith('/') ? 'the file is not there, or is another log now' : 'this was no file';
}

/** Finds the file that holds a log now: under its name, or under one that rotation gave it. */
async function fileOf(source: string, fingerprint: string): Promise<{ path: string; head: Buffer } | null> {
  if (!source.startsWith('/')) return null;
  for (const path of [source, ...(await rotatedSiblings(source)).map((sibling) => sibling.path)]) {
    const head = await headOf(path).catch((cause: unknown) => {
      if (cause instanceof Failure) return null;
      throw cause;
    });
    if (head !== null && fingerprintOf(firstLineOf(head)) === fingerprint) return { path, head };
  }
  return null;
}

async function headOf(path: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of unpacked(path, await checkFile(path))) {
    parts.push(part);
    size += part.length;
    if (size >= HEAD_BYTES) break;
  }
  return Buffer.concat(parts);
}

/** Takes  lines: in the order of their places. */
async function* linesAt(
  path: string,
  lines: readonly QuarantinedLine[],
): AsyncGenerator<{ line: QuarantinedLine; bytes: Buffer }> {
  const packing = await checkFile(path);
  if (packing !== 'plain') return yield* linesInStream(unpacked(path, packing), lines);
  const file = await open(path, 'r');
  try {
    for (const line of lines) yield { line, bytes: await lineAt(file, line) };
  } finally {
    await file.close();
  }
}

/** Reads the line that begins at a place; empty where none begins there any more. */
async function lineAt(file: FileHandle, { offset, length }: QuarantinedLine): Promise<Buffer> {
  const before = offset === 0 ? 0 : 1;
  const read = Buffer.alloc(before + Math.max(length, LONGEST_LINE_BYTES));
  const { bytesRead } = await file.read(read, 0, read.length, offset - before);
  if (before === 1 && read[0] !== 10) return Buffer.alloc(0);
  const end = read.subarray(0, bytesRead).indexOf(10, before);
  return read.subarray(before, end < 0 ? bytesRead : end);
}

async function* linesInStream(
  stream: AsyncIterable<Buffer>,
  lines: readonly QuarantinedLine[],
): AsyncGenerator<{ line: QuarantinedLine; bytes: Buffer }> {
  let [at, next] = [0, 0];
  let parts: Buffer[] = [];
  for await (const part of stream) {
    const end = at + part.length;
    for (let line = lines[next]; line && line.offset < end; line = lines[next]) {
      const from = Math.max(0, line.offset - at);
      parts.push(part.subarray(from, line.offset + line.length - at));
      if (line.offset + line.length > end) break;
      yield { line, bytes: Buffer.concat(parts) };
      parts = [];
      next += 1;
    }
    at = end;
  }
}
