import type { Readable } from 'node:stream';
import { Failure, fail } from '../model/index.ts';

/** Bodies that may be in memory at once, over all requests. */
const MOST_WAITING_BYTES = 512 << 20;

/** A body that is in memory, until it is given back. */
export interface Body {
  readonly bytes: Buffer;
  readonly giveBack: () => void;
}

/** Memory that is kept for a body which somebody else reads. */
export interface Hold {
  /** The body is there, and it is as large as this. */
  readonly shrinkTo: (sizeBytes: number) => void;
  readonly giveBack: () => void;
}

/**
 * Reads bodies into memory, and counts what all of them take together.
 *
 * Holds  what a request took is given back when it was answered, and also when it was refused or its sender went away.
 */
export class Bodies {
  readonly #limitBytes: number;
  readonly #mostWaitingBytes: number;
  #waitingBytes = 0;

  constructor(limitBytes: number, mostWaitingBytes = MOST_WAITING_BYTES) {
    this.#limitBytes = limitBytes;
    this.#mostWaitingBytes = mostWaitingBytes;
  }

  /** What bodies take at the moment. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** How many bodies of unknown size may come at once, in at most half of the memory: each may grow to the limit. */
  get atOnce(): number {
    return Math.max(1, Math.floor(this.#mostWaitingBytes / 2 / this.#limitBytes));
  }

  /** Keeps as much memory as one body may take; null when others have too much of it. */
  hold(): Hold | null {
    let size = this.#limitBytes;
    if (this.#waitingBytes + size > this.#mostWaitingBytes) return null;
    const resize = (to: number) => {
      this.#waitingBytes += to - size;
      size = to;
    };
    this.#waitingBytes += size;
    return { shrinkTo: (sizeBytes) => resize(Math.min(size, sizeBytes)), giveBack: () => resize(0) };
  }

  /** Fails  BODY_TOO_LARGE. */
  checkSize(sizeBytes: number): void {
    if (sizeBytes > this.#limitBytes) throw this.#tooLarge();
  }

  /**
   * Reads one body.
   *
   * Takes  announcedBytes: the Content-Length, 0 without one.
   * Fails  BODY_TOO_LARGE, SERVER_BUSY; BODY_INCOMPLETE when the sender went away.
   */
  async read(chunks: AsyncIterable<Uint8Array>, announcedBytes: number): Promise<Body> {
    this.checkSize(announcedBytes);
    const parts: Uint8Array[] = [];
    let size = 0;
    let isGivenBack = false;
    const giveBack = () => {
      if (!isGivenBack) this.#waitingBytes -= size;
      isGivenBack = true;
    };
    try {
      for await (const part of arriving(chunks)) {
        size += part.length;
        this.#waitingBytes += part.length;
        parts.push(part);
        if (size > this.#limitBytes) throw this.#tooLarge();
        if (this.#waitingBytes > this.#mostWaitingBytes) throw fail('SERVER_BUSY');
      }
      return { bytes: wholeOf(parts, size), giveBack };
    } catch (cause) {
      giveBack();
      throw cause;
    }
  }

  /** Reads one body by its events: for requests of which there are many, each of a few bytes. Else the same as `read`. */
  receive(request: Readable, announcedBytes: number): Promise<Body> {
    return new Promise((done, failed) => {
      this.checkSize(announcedBytes);
      const parts: Uint8Array[] = [];
      let size = 0;
      let isOver = false;
      const giveBack = () => {
        this.#waitingBytes -= size;
        size = 0;
      };
      const end = (cause: Failure) => {
        isOver = true;
        giveBack();
        failed(cause);
      };
      request.on('data', (part: Uint8Array) => {
        if (isOver) return;
        size += part.length;
        this.#waitingBytes += part.length;
        parts.push(part);
        if (size > this.#limitBytes) end(this.#tooLarge());
        else if (this.#waitingBytes > this.#mostWaitingBytes) end(fail('SERVER_BUSY'));
      });
      request.once('end', () => {
        if (isOver) return;
        isOver = true;
        done({ bytes: wholeOf(parts, size), giveBack });
      });
      const gone = (cause?: unknown) => {
        if (!isOver) end(fail('BODY_INCOMPLETE', {}, [], cause));
      };
      request.once('error', gone);
      request.once('close', () => gone());
    });
  }

  #tooLarge(): Failure {
    return fail('BODY_TOO_LARGE', { limitBytes: this.#limitBytes });
  }
}

/** Of requests that are being answered: logs are large, and every copy of one takes as long as reading it. */
const kept = new WeakMap<Request, Buffer>();

/** Keeps the body of a request for whoever answers it. Gives  the same for those who ask the router, copied when they do. */
export function keepBody(request: Request, bytes: Buffer): { readonly arrayBuffer: Promise<ArrayBuffer> } {
  kept.set(request, bytes);
  return {
    get arrayBuffer() {
      return Promise.resolve(new Uint8Array(bytes).buffer);
    },
  };
}

/** The body that was kept; empty for none. */
export function keptBody(request: Request): Buffer {
  return kept.get(request) ?? Buffer.alloc(0);
}

function wholeOf(parts: readonly Uint8Array[], size: number): Buffer {
  const [first] = parts;
  if (parts.length === 1 && first) return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  return Buffer.concat(parts, size);
}

/** The pieces of a body as they come. Fails BODY_INCOMPLETE when its sender goes away before the end. */
export async function* arriving(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (cause) {
    throw cause instanceof Failure ? cause : fail('BODY_INCOMPLETE', {}, [], cause);
  }
}
