import { Failure } from '../../model/index.ts';
import type { LinesAnswer } from '../../serve/contract/lines.ts';
import { addAnswer, type IngestResult, nothingSent } from '../ingest.ts';
import { lineCount } from '../lines.ts';
import { type LogFlags, linesPath, logQuery } from '../log-query.ts';
import type { Piece } from './followed-log.ts';

/** The log that a piece is of. */
export interface SentLog {
  readonly path: string;
  readonly format: string;
  readonly fingerprint: string;
  readonly head: string;
}

/** Sends lines and waits until they are safe. Fails when waiting does not help, and AbortError. */
export type SendLines = (path: string, body: Uint8Array) => Promise<LinesAnswer>;

const LARGEST_PIECE_BYTES = 4 << 20;
const SMALLEST_PIECE_BYTES = 1 << 16;
const MOST_NAMED = 20;

/** Sends pieces of logs, and adds up what became of them. */
export class LineSender {
  /** How much of a log to read at once; less where the server takes less. */
  mostBytes = LARGEST_PIECE_BYTES;
  readonly #results = new Map<string, IngestResult>();
  readonly #flags: LogFlags;
  readonly #send: SendLines;
  readonly #say: (text: string) => void;

  constructor(flags: LogFlags, send: SendLines, say: (text: string) => void) {
    this.#flags = flags;
    this.#send = send;
    this.#say = say;
  }

  get results(): IngestResult[] {
    return [...this.#results.values()];
  }

  /** Gives whether the piece is safe; false: it was too large, and smaller ones are to be read. */
  async send(log: SentLog, piece: Piece): Promise<boolean> {
    const query = logQuery(log.path, log.fingerprint, log.head, this.#flags);
    const path = linesPath(log.format, query, piece.offset, piece.firstLine);
    try {
      this.#add(log, await this.#send(path, new Uint8Array(piece.bytes)), piece.firstLine);
      return true;
    } catch (cause) {
      const isTooLarge = cause instanceof Failure && cause.code === 'BODY_TOO_LARGE';
      if (!isTooLarge || this.mostBytes <= SMALLEST_PIECE_BYTES) throw cause;
      this.mostBytes = Math.max(SMALLEST_PIECE_BYTES, this.mostBytes / 4);
      return false;
    }
  }

  /** Sends a piece that cannot be read again in smaller ones. */
  async sendAll(log: SentLog, piece: Piece): Promise<void> {
    if (piece.bytes.length === 0 || (await this.send(log, piece))) return;
    const middle = piece.bytes.indexOf(10, piece.bytes.length >> 1) + 1 || piece.bytes.length;
    const [first, second] = [piece.bytes.subarray(0, middle), piece.bytes.subarray(middle)];
    await this.sendAll(log, { ...piece, bytes: first });
    const lines = lineCount(first);
    const rest = { offset: piece.offset + middle, firstLine: piece.firstLine + lines, lines: piece.lines - lines };
    await this.sendAll(log, { ...piece, ...rest, bytes: second });
  }

  #add(log: SentLog, answer: LinesAnswer, firstLine: number): void {
    const result = this.#results.get(log.path) ?? nothingSent(log.path, log.format);
    this.#results.set(log.path, result);
    const named = result.malformed.length;
    addAnswer(result, answer, firstLine);
    for (const { line, reason } of result.malformed.slice(named))
      this.#say(`taximeter: ${log.path}: line ${line}: ${reason}`);
    if (named < MOST_NAMED && result.malformed.length === MOST_NAMED)
      this.#say(`taximeter: ${log.path}: more refused lines are counted only; taximeter quarantine lists them.`);
  }
}
