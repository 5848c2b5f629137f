import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../model/index.ts';

/** How to go on when the server cannot take what is sent. */
export interface Patience {
  /** Whether waiting may help. */
  readonly isPassing: (failure: Failure) => boolean;
  /** Tells people, once at the beginning of a wait and once at its end. */
  readonly say: (text: string) => void;
  readonly signal?: AbortSignal;
  /** What must not stand still meanwhile. */
  readonly meanwhile?: () => Promise<void>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/**
 * Asks until there is an answer, waiting longer from time to time, and at least as long as the server says.
 *
 * Fails  with what waiting does not help against; AbortError when the signal comes.
 */
export async function patiently<Answer>(ask: () => Promise<Answer>, patience: Patience): Promise<Answer> {
  const { isPassing, say, signal, meanwhile } = patience;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      const answer = await ask();
      if (waitMs > FIRST_WAIT_MS) say('taximeter: the server takes lines again.');
      return answer;
    } catch (cause) {
      if (!(cause instanceof Failure) || !isPassing(cause)) throw cause;
      if (waitMs === FIRST_WAIT_MS) say(`taximeter: ${cause.message}; waiting.`);
      const askedMs = Math.min(Number(cause.facts.retryAfterSeconds ?? 0) * 1_000, LONGEST_WAIT_MS);
      await pause(Math.max(waitMs, askedMs), undefined, signal ? { signal } : {});
      await meanwhile?.();
    }
  }
}

/** The server works off what it has; nothing else is wrong. */
export function isBusy({ code }: Failure): boolean {
  return code === 'JOURNAL_FULL' || code === 'SERVER_BUSY';
}
