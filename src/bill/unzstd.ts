import { Transform } from 'node:stream';
import { Decompress } from 'fzstd';

/**
 * Makes a stream that unpacks Zstandard; Node 20 has no decoder of its own.
 *
 * Holds  several frames in a row are one text, as with gzip; a frame cut short is an error, never a shorter text.
 */
export function createUnzstd(): Transform {
  const unpacked: Buffer[] = [];
  // The decoder goes on using the block it hands out, so each is copied.
  const decoder = new Decompress((block) => unpacked.push(Buffer.from(block)));
  const pushed = (stream: Transform, chunk: Uint8Array, isLast: boolean): Error | null => {
    try {
      decoder.push(chunk, isLast);
    } catch (cause) {
      return cause as Error;
    }
    for (const block of unpacked.splice(0)) if (block.length > 0) stream.push(block);
    return null;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(pushed(this, chunk, false));
    },
    flush(done) {
      done(pushed(this, new Uint8Array(0), true));
    },
  });
}
