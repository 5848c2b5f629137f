/** Why a report was not taken. `isFinal`: trying again is of no use. */
export interface Unsent {
  readonly reason: string;
  readonly isFinal: boolean;
}

/** Null where it was taken. */
export type Outcome = Unsent | null;

export function unsent(reason: string, isFinal = false): Unsent {
  return { reason, isFinal };
}
