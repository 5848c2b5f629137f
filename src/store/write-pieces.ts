import { type FileHandle, open } from 'node:fs/promises';

const WRITTEN_AT_ONCE = 4 << 20;

/**
 * Writes a file, or to the end of one: small pieces together, large ones as they are.
 *
 * Takes  flags: `wx` for a file that must not be there yet, `a` to go on with one.
 */
export async function writePieces(path: string, pieces: Iterable<Uint8Array>, flags: 'wx' | 'a'): Promise<void> {
  const file = await open(path, flags);
  try {
    let waiting: Uint8Array[] = [];
    let waitingBytes = 0;
    for (const piece of pieces) {
      waiting.push(piece);
      waitingBytes += piece.length;
      if (waitingBytes < WRITTEN_AT_ONCE && waiting.length < 500) continue;
      await writeAll(file, waiting);
      waiting = [];
      waitingBytes = 0;
    }
    await writeAll(file, waiting);
  } finally {
    await file.close();
  }
}

/** A full disk may take a part of a write without an error; what is left then fails by itself. */
async function writeAll(file: FileHandle, pieces: readonly Uint8Array[]): Promise<void> {
  const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (size === 0) return;
  const { bytesWritten } = await file.writev(pieces);
  if (bytesWritten < size) await file.appendFile(Buffer.concat(pieces, size).subarray(bytesWritten));
}
