import { readFile } from 'node:fs/promises';
import type { Poster } from '../http/post.ts';
import { readFrames } from './frame.ts';

/** Which frames of a file are one request: a receiver may take less at once than a file holds. */
export interface Part {
  readonly from: number;
  readonly most: number;
}

/** What became of a part of a file. */
export type Carried =
  | { readonly kind: 'gone' }
  /** For good. */
  | { readonly kind: 'unreadable'; readonly why: string }
  /** Not now: there was no answer, or too many files are open. */
  | { readonly kind: 'failed'; readonly why: string }
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly type: string;
      readonly retryAfter: string | null;
      readonly body: Uint8Array;
      /** Frames and spans that were sent. */
      readonly frames: number;
      readonly spans: number;
      readonly rest: Rest;
    }
  | { readonly kind: 'empty'; readonly rest: Rest };

/** What a file holds besides: frames behind the part, and bytes behind the last whole frame. */
export interface Rest {
  readonly frames: number;
  readonly tornBytes: number;
  /** In the whole frames of the file. */
  readonly allSpans: number;
}

/** Carries parts of files to Taximeter. */
export interface Courier {
  carry(path: string, part: Part, timeoutMs: number): Promise<Carried>;
  close(): void;
}

const NOT_NOW = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY']);

/** Reads a part of a file, and posts it. */
export async function carry(poster: Poster, path: string, part: Part, timeoutMs: number): Promise<Carried> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => cause);
  if (bytes instanceof Error) return unread(bytes);
  const { frames, tornBytes, spans: allSpans } = readFrames(bytes);
  const sent = frames.slice(part.from, part.from + part.most);
  const rest = { frames: Math.max(0, frames.length - part.from - sent.length), tornBytes, allSpans };
  const spans = sent.reduce((sum, each) => sum + each.spans, 0);
  if (spans === 0) return { kind: 'empty', rest };
  try {
    // Requests of OTLP are lists, and protobuf joins lists that stand one behind the other.
    const body = Buffer.concat(sent.map(({ payload }) => payload));
    const answer = await poster.post('/v1/traces', 'application/x-protobuf', body, timeoutMs);
    return {
      kind: 'answered',
      status: answer.status,
      type: answer.headers['content-type'] ?? '',
      retryAfter: answer.headers['retry-after'] ?? null,
      body: answer.body,
      ...{ frames: sent.length, spans, rest },
    };
  } catch (cause) {
    return { kind: 'failed', why: (cause as Error).message };
  }
}

function unread({ code = '', message }: NodeJS.ErrnoException): Carried {
  if (code === 'ENOENT') return { kind: 'gone' };
  return { kind: NOT_NOW.has(code) ? 'failed' : 'unreadable', why: message };
}
