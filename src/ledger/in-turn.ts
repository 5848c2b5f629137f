import type { Store } from '../store/index.ts';

const turns = new WeakMap<Store, Promise<unknown>>();

/**
 * Runs work on a store's ledger after all earlier work on it has ended.
 * Two postings that look at the same ledger at once would both post; a period could close under a posting's feet.
 */
export function inTurn<Result>(store: Store, work: () => Promise<Result>): Promise<Result> {
  const turn = (turns.get(store) ?? Promise.resolve()).then(work);
  turns.set(
    store,
    turn.catch(() => undefined),
  );
  return turn;
}
