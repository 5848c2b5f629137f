import type { Slice } from '../cost/index.ts';
import type { Store } from '../store/index.ts';
import { Closings } from './closings.ts';
import { closedPeriods } from './queries.ts';

/** Gives a question: may the shares of a slice still change, or is its bill, or the time that it corrects, closed? */
export async function openBills(store: Pick<Store, 'documents'>): Promise<(slice: Slice) => boolean> {
  const closings = new Closings(await closedPeriods(store.documents));
  return (slice) => !closings.hasSlice(slice) && closings.about(slice) === undefined;
}
