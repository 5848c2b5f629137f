/** Longer messages are somebody's mistake or attack. */
export const LONGEST_MESSAGE = 65_536;

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const MOST_DIGITS = 9;

type State =
  | { readonly is: 'begin'; digits: string }
  | { readonly is: 'line' }
  | { readonly is: 'counted'; leftBytes: number }
  | { readonly is: 'skip-line' }
  | { readonly is: 'skip-counted'; leftBytes: number };

/**
 * Cuts a stream of bytes into syslog messages: each with its length in front, or with a line feed behind, also mixed.
 *
 * Holds  no more than one message of 64 KiB is in memory, whatever comes; what is longer is passed over and counted.
 * From   RFC 6587, 3.4.
 */
export class SyslogFrames {
  tooLong = 0;
  #state: State = { is: 'begin', digits: '' };
  #parts: Buffer[] = [];
  #size = 0;

  *push(chunk: Buffer): Generator<Buffer> {
    for (let at = 0; at < chunk.length; ) {
      const state = this.#state;
      if (state.is === 'begin') {
        at = this.#begin(state, chunk, at);
      } else if (state.is === 'line' || state.is === 'skip-line') {
        const found = chunk.indexOf(LINE_FEED, at);
        if (state.is === 'line') this.#add(chunk.subarray(at, found < 0 ? chunk.length : found));
        at = found < 0 ? chunk.length : found + 1;
        if (found >= 0) yield* this.#whole();
      } else {
        const end = Math.min(chunk.length, at + state.leftBytes);
        if (state.is === 'counted') this.#add(chunk.subarray(at, end));
        state.leftBytes -= end - at;
        at = end;
        if (state.leftBytes === 0) yield* this.#whole();
      }
    }
  }

  /** The last message, of a sender that went away without a line feed behind it. */
  *end(): Generator<Buffer> {
    if (this.#state.is === 'line') yield* this.#whole();
  }

  /** Reads digits and a space, or finds that there is no length in front. */
  #begin(state: { digits: string }, chunk: Buffer, at: number): number {
    const byte = chunk[at]!;
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (isDigit && state.digits.length < MOST_DIGITS && !(state.digits === '' && byte === 0x30)) {
      state.digits += String.fromCharCode(byte);
      return at + 1;
    }
    if (byte === SPACE && state.digits !== '') {
      const leftBytes = Number(state.digits);
      if (leftBytes > LONGEST_MESSAGE) this.tooLong += 1;
      this.#state = { is: leftBytes > LONGEST_MESSAGE ? 'skip-counted' : 'counted', leftBytes };
      return at + 1;
    }
    // Some senders put a line feed behind a message that had its length in front.
    if (byte === LINE_FEED && state.digits === '') return at + 1;
    this.#state = { is: 'line' };
    this.#add(Buffer.from(state.digits, 'latin1'));
    return at;
  }

  #add(part: Buffer): void {
    if (part.length === 0) return;
    this.#size += part.length;
    if (this.#size <= LONGEST_MESSAGE) {
      // A piece of a chunk would keep the whole chunk.
      this.#parts.push(Buffer.from(part));
      // A sender of single bytes would make a list that is larger than the message.
      if (this.#parts.length >= 1_024) this.#parts = [Buffer.concat(this.#parts)];
      return;
    }
    this.tooLong += 1;
    this.#parts = [];
    this.#size = 0;
    this.#state = { is: 'skip-line' };
  }

  *#whole(): Generator<Buffer> {
    const message = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#size = 0;
    this.#state = { is: 'begin', digits: '' };
    if (message.length > 0) yield message;
  }
}
