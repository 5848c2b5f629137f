import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../model/index.ts';

const KEY_BYTES = 32;

/**
 * The key of consumers' pseudonyms lives beside the data and is erased with it.
 *
 * Gives  the folder's key; where there is none, a new one that is on the disk before anything is named by it.
 * Fails  FILE_DAMAGED when the file is no key: with a part of one, or an empty one, pseudonyms could be guessed.
 */
export function pseudonymKey(folder: string): Buffer {
  const path = join(folder, 'pseudonym.key');
  if (!existsSync(path)) return newKey(folder, path);
  const key = readFileSync(path);
  if (key.length !== KEY_BYTES) throw fail('FILE_DAMAGED', { file: path, bytes: key.length, expected: KEY_BYTES });
  return key;
}

/** A crash leaves either no key or a whole one. */
function newKey(folder: string, path: string): Buffer {
  mkdirSync(folder, { recursive: true });
  const key = randomBytes(KEY_BYTES);
  const unfinished = `${path}.new`;
  onDisk(unfinished, 'w', (file) => writeSync(file, key));
  renameSync(unfinished, path);
  onDisk(folder, 'r', () => {});
  return key;
}

function onDisk(path: string, flag: string, write: (file: number) => void): void {
  const file = openSync(path, flag, 0o600);
  try {
    write(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
