import { Failure, fail, type Problem } from '../model/index.ts';
import type { BillFile } from './table.ts';

const unreadable = new Set(['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

/** Turns whatever stopped the reading of a file into a failure that names the file and, where known, the line. */
export function fileFailure(file: BillFile, cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  const { code, lines } = cause as { code?: unknown; lines?: unknown };
  if (typeof code === 'string' && unreadable.has(code))
    return fail('FILE_UNREADABLE', { file: file.name, reason: code }, [], cause);
  return damagedFile(file, wordsOf(code, cause), typeof lines === 'number' ? lines : undefined, cause);
}

export function damagedFile(file: BillFile, message: string, line?: number, cause?: unknown): Failure {
  const problem: Problem = { message, path: file.name, ...(line === undefined ? {} : { line }) };
  return fail('FILE_DAMAGED', { file: file.name }, [problem], cause);
}

function wordsOf(code: unknown, cause: unknown): string {
  if (code === 'Z_BUF_ERROR') return 'the compressed data ends too early';
  if (code === 'CSV_QUOTE_NOT_CLOSED') return 'a quote is opened and never closed';
  return cause instanceof Error ? cause.message.slice(0, 300) : 'the file cannot be decoded';
}
