/** A claim of ours that turned out false: a bug, never an input error. Stops the unit of work, loudly. */
export class BrokenClaim extends Error {
  override readonly name = 'BrokenClaim';
}

/** States what must be true here; a false claim throws BrokenClaim with its words. */
export function assert(claim: boolean, words: string): asserts claim {
  if (!claim) throw new BrokenClaim(words);
}
