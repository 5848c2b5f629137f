import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';

/** More are no part of a report. */
const MOST_ENTRIES = 100;

/**
 * Gives the bytes of the one file that a ZIP holds, as AWS packs the parts of its legacy report.
 *
 * Holds  what is given is what was packed: its length and its checksum, or an error at its end.
 * Fails  where there is no file in it, or more than one; Error, as `fileFailure` takes it.
 */
export function unzipped(path: string): Readable {
  return Readable.from(bytesOf(path), { objectMode: false });
}

async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  const zip = await openPromise(path, { autoClose: false, lazyEntries: true });
  try {
    const entry = await onlyFile(zip);
    let sum = 0;
    for await (const part of await zip.openReadStreamPromise(entry)) {
      sum = crc32(part as Buffer, sum);
      yield part as Buffer;
    }
    if (sum !== entry.crc32) throw new Error('its checksum is another one than that of what was packed');
  } finally {
    zip.close();
  }
}

async function onlyFile(zip: ZipFile): Promise<Entry> {
  const files: Entry[] = [];
  if (zip.entryCount > MOST_ENTRIES) throw new Error('it holds too many files');
  for await (const entry of zip.eachEntry()) if (!entry.fileName.endsWith('/')) files.push(entry);
  const [file] = files;
  if (file === undefined || files.length > 1)
    throw new Error(`one file is expected in it, and it holds ${files.length}`);
  if (file.isEncrypted()) throw new Error('it is encrypted');
  return file;
}
