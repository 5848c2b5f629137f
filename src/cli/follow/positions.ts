import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const position = z.object({
  /** Where the log was found last. */
  path: z.string(),
  inode: z.string(),
  /** Of its first line. */
  fingerprint: z.string(),
  /** Of the first byte that was not acknowledged; a line begins there. */
  offset: z.number().int().min(0),
  /** The number of that line. */
  line: z.number().int().min(1),
  /** The hash of what stands right before: a log is continued only where this is found again. */
  before: z.string(),
  beforeBytes: z.number().int().min(0),
  format: z.string(),
  /** Whether the log was read to its end after another had taken its place. */
  isFinished: z.boolean(),
  savedMs: z.number(),
});

/** How far a log was read and acknowledged. */
export type Position = z.infer<typeof position>;

/** As long as the store compares lines, a position may save sending them again. */
const KEEP_MS = 62 * 86_400_000;

/**
 * Keeps how far logs were read, in a folder of small files, each replaced as a whole.
 *
 * Holds  a file that is lost or damaged costs nothing but sending lines again, which count once.
 */
export class Positions {
  readonly #folder: string;
  /** Tells what others follow from this: the same file may be read as two services. */
  readonly #reader: string;
  readonly #known = new Map<string, Position>();

  private constructor(folder: string, reader: string) {
    this.#folder = folder;
    this.#reader = reader;
  }

  /** Takes  folder: made when missing. reader: for whom lines are read, such as service and machine. */
  static async open(folder: string, reader: string, nowMs: number): Promise<Positions> {
    const positions = new Positions(folder, hashed(reader).slice(0, 12));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) await positions.#load(name, nowMs);
    return positions;
  }

  /** All that are known, those that were read furthest first. */
  all(): Position[] {
    return [...this.#known.values()].sort((a, b) => b.offset - a.offset);
  }

  async save(saved: Position): Promise<void> {
    const name = this.#nameOf(saved);
    this.#known.set(name, saved);
    const path = join(this.#folder, name);
    const next = `${path}.${process.pid}.new`;
    const file = await open(next, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(saved));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
  }

  #nameOf({ fingerprint, inode }: Position): string {
    return `${this.#reader}-${hashed(`${fingerprint} ${inode}`).slice(0, 24)}.json`;
  }

  async #load(name: string, nowMs: number): Promise<void> {
    const path = join(this.#folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: nowMs }));
    if (nowMs - mtimeMs > KEEP_MS) await rm(path, { force: true });
    else if (name.startsWith(`${this.#reader}-`) && name.endsWith('.json')) {
      const text = await readFile(path, 'utf8').catch(() => '');
      const read = position.safeParse(parsed(text));
      if (read.success) this.#known.set(name, read.data);
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function hashed(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
