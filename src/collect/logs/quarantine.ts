import { createHash } from 'node:crypto';
import type { DocumentStore, StoredQuarantine } from '../../store/index.ts';
import {
  clearLines,
  countLines,
  insertLines,
  listLines,
  logsWithLines,
  type NewLine,
  type QuarantineChoice,
  removeStretch,
  trimLines,
} from './quarantine-queries.ts';
import type { MalformedLine } from './take-lines.ts';

/** Where lines came from, and how they were read: enough to read them again. */
export interface LineOrigin {
  /** What the sender calls the log: the path of its file, the address of a syslog sender; may be empty. */
  readonly source: string;
  readonly service: string;
  readonly host: string;
  readonly fingerprint: string;
  readonly tenantFrom: string;
  readonly format: string;
}

/** A part of a log that was sent: whole lines, and where the first of them stands. */
export interface LogStretch {
  readonly body: Buffer;
  readonly offset: number;
  /** The number of its first line, from 1. */
  readonly firstLine: number;
}

export interface QuarantineConfig {
  readonly documents: DocumentStore;
  /** Whether the beginning of a refused line is kept; it may be personal. */
  readonly keepsText: boolean;
  readonly now: () => Date;
  /** How many lines are kept; of more the oldest are forgotten. */
  readonly mostLines?: number;
}

const MOST_LINES = 100_000;
const TRIM_EVERY = 5_000;
const TEXT_BYTES = 2_000;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Keeps where lines stand that were refused, so that they can be found and read again.
 *
 * Holds  what is said of a stretch of a log replaces what was said of it before: a line that is accepted later is in it no more.
 *        No line's text is kept unless that was asked for. The newest lines are kept, older ones are only counted.
 */
export class Quarantine {
  readonly #config: QuarantineConfig;
  readonly #mostLines: number;
  /** The logs that have lines here, so that a log without any costs no query. */
  readonly #logs: Set<string>;
  #untilTrim = TRIM_EVERY;

  private constructor(config: QuarantineConfig, logs: Set<string>) {
    this.#config = config;
    this.#mostLines = config.mostLines ?? MOST_LINES;
    this.#logs = logs;
  }

  static async open(config: QuarantineConfig): Promise<Quarantine> {
    return new Quarantine(config, await logsWithLines(config.documents));
  }

  /** Notes which lines of a stretch were refused: of those that were before, only these still are. */
  async note(origin: LineOrigin, stretch: LogStretch, malformed: readonly MalformedLine[]): Promise<void> {
    const { documents } = this.#config;
    const log = logName(origin);
    const isKnown = this.#logs.has(log);
    if (!isKnown && malformed.length === 0) return;
    const rows = this.#rows(log, origin, stretch, malformed);
    await documents.transaction().execute(async (transaction) => {
      if (isKnown) await removeStretch(transaction, log, stretch.offset, stretch.offset + stretch.body.length);
      await insertLines(transaction, rows);
    });
    if (rows.length > 0) this.#logs.add(log);
    this.#untilTrim -= rows.length;
    if (this.#untilTrim > 0) return;
    this.#untilTrim = TRIM_EVERY;
    await trimLines(documents, this.#mostLines);
  }

  /** Lists lines, the newest first. */
  list(choice: QuarantineChoice, limit: number): Promise<StoredQuarantine[]> {
    return listLines(this.#config.documents, choice, limit);
  }

  count(choice: QuarantineChoice = {}): Promise<number> {
    return countLines(this.#config.documents, choice);
  }

  /** Forgets lines; gives how many. */
  async clear(choice: QuarantineChoice): Promise<number> {
    const removed = await clearLines(this.#config.documents, choice);
    const left = await logsWithLines(this.#config.documents);
    for (const log of this.#logs) if (!left.has(log)) this.#logs.delete(log);
    return removed;
  }

  #rows(log: string, origin: LineOrigin, stretch: LogStretch, malformed: readonly MalformedLine[]): NewLine[] {
    const { keepsText, now } = this.#config;
    const refusedAt = now().toISOString();
    const rows: NewLine[] = [];
    const places = placesOf(stretch.body, malformed);
    for (const [index, { line, refusal }] of malformed.entries()) {
      const { at, length } = places[index]!;
      rows.push({
        log,
        source: plain(origin.source),
        service: plain(origin.service),
        host: plain(origin.host),
        fingerprint: plain(origin.fingerprint),
        tenant_from: plain(origin.tenantFrom),
        format: plain(origin.format),
        line: stretch.firstLine + line - 1,
        byte_offset: stretch.offset + at,
        byte_length: length,
        reason: refusal,
        refused_at: refusedAt,
        line_text: keepsText ? plain(stretch.body.toString('utf8', at, at + Math.min(length, TEXT_BYTES))) : null,
      });
    }
    return rows;
  }
}

function logName({ fingerprint, service, host }: LineOrigin): string {
  return createHash('sha256')
    .update(JSON.stringify([fingerprint, service, host]))
    .digest('hex')
    .slice(0, 32);
}

/** Finds where lines begin, and how long they are without their end. Takes  lines: by number, ascending. */
function placesOf(body: Buffer, lines: readonly MalformedLine[]): { at: number; length: number }[] {
  const places: { at: number; length: number }[] = [];
  let [at, number] = [0, 1];
  for (const { line } of lines) {
    for (; number < line; number++) at = body.indexOf(LINE_FEED, at) + 1;
    const found = body.indexOf(LINE_FEED, at);
    const end = found < 0 ? body.length : found;
    places.push({ at, length: (end > at && body[end - 1] === CARRIAGE_RETURN ? end - 1 : end) - at });
  }
  return places;
}

/** PostgreSQL keeps no NUL; other control characters would move the cursor of whoever prints them. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.replace(/[\u0000-\u001f\u007f]/g, '\ufffd');
}
