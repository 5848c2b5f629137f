import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fail } from '../model/index.ts';

/** Reads documents. Takes  file: `-` is standard input. Fails  FILE_UNREADABLE. */
export async function readText(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (cause) {
    throw fail('FILE_UNREADABLE', { file, reason: (cause as NodeJS.ErrnoException).code }, [], cause);
  }
}
