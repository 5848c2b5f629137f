import type { ColumnStore } from '../../store/index.ts';
import { insertBatches, readCounted, readLargestRolled } from './queries.ts';

/** How many rows of calls are added up at once: memory, and the time for which other writers wait. */
const ROWS_AT_ONCE = 3_000_000;
/** Batches are counted nearly in the order of their numbers; once all older ones were looked at, this many are looked at again. */
const LOOK_BACK = 10_000;

interface Refreshing {
  /** The largest batch in the rollups; null until every batch was looked for. */
  largest: number | null;
  turn: Promise<unknown>;
}

/** One refresh at a time for a store: two at once would count a batch twice. */
const refreshing = new WeakMap<ColumnStore, Refreshing>();

/**
 * Brings the rollups up to date: adds every batch that is counted by minute and not yet in them.
 *
 * Gives  how many batches were added.
 * Holds  a batch is in the rollups once, also after a crash: its rows and the marker that says so are one block.
 */
export function refreshRollups(columns: ColumnStore): Promise<number> {
  const state = refreshing.get(columns) ?? { largest: null, turn: Promise.resolve() };
  refreshing.set(columns, state);
  const turn = state.turn.then(() => addNewBatches(columns, state));
  state.turn = turn.catch(() => undefined);
  return turn;
}

async function addNewBatches(columns: ColumnStore, state: Refreshing): Promise<number> {
  const counted = await readCounted(columns, Math.max(0, (state.largest ?? 0) - LOOK_BACK));
  for (const batches of portions(counted)) await insertBatches(columns, batches);
  state.largest = Math.max(state.largest ?? (await readLargestRolled(columns)), counted.at(-1)?.batch ?? 0);
  return counted.length;
}

function portions(counted: readonly { readonly batch: number; readonly rows: number }[]): number[][] {
  const parts: number[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const each of counted) {
    if (rows + each.rows > ROWS_AT_ONCE) {
      parts.push([]);
      rows = 0;
    }
    parts.at(-1)!.push(each.batch);
    rows += each.rows;
  }
  return parts;
}
