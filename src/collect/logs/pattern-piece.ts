import type { LogLine } from './log-line.ts';

/** A value of a line: how it is called in the pattern, and how it is read. */
export interface Slot {
  readonly name: string;
  /** Reads the time, in microseconds; NO_TIME, BAD_TIME. */
  readonly time?: (text: string) => number;
  readonly set?: (line: LogLine, text: string) => void;
  /** Says where the value ends, for one that may hold what stands after it; -1 when it does not end. */
  readonly end?: (text: string, from: number) => number;
  /** A list of values with a comma and a space between. */
  readonly isList?: boolean;
}

/** Parts of a pattern in their order: text that stands there as it is, and slots between. */
export type Piece = string | Slot;

/** Texts beside one another become one, so that a slot ends at all of it. */
export function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const last = result.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') result[result.length - 1] = last + piece;
    else result.push(piece);
  }
  return result;
}
