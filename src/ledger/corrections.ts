import {
  accountNumbers,
  allocate,
  emptyShares,
  Int128Column,
  type SliceShares,
  shareOut,
  shareOutMany,
} from '../cost/index.ts';
import { assert, grouped } from '../model/index.ts';
import { type Store, Texts } from '../store/index.ts';
import type { Closings } from './closings.ts';
import type { LedgerSlice } from './ledger-slice.ts';
import { readPostedShares } from './posted-shares.ts';
import type { PostedSlice } from './queries.ts';
import { placeKey } from './wanted.ts';

/** A correction, what stood before it, and the closed posting whose shares it follows. */
interface Step {
  readonly slice: LedgerSlice;
  readonly beforeAtto: bigint;
  readonly basis: PostedSlice | undefined;
}

/**
 * Shares out corrections of closed periods as those were shared out when they were closed.
 *
 * What all bills say of a charge period and pool, up to and with a correction, is shared out by the weights frozen at close, and so is
 * what they said before it; the correction is the difference. So it does not matter in how many steps something is put right.
 *
 * Takes  corrections: of the same charge periods all that there are. posted: the postings in force.
 * Gives  one entry per correction.
 * Holds  the shares of a correction add up to its amount; with all corrections of a slice, everybody has what he would have had
 *        if the slice had been right from the beginning, to the last digit.
 * From   docs/decisions/0018-closed-periods-are-corrected-in-open-ones.md
 */
export async function* correctionShares(
  store: Store,
  corrections: readonly LedgerSlice[],
  posted: Iterable<PostedSlice>,
  closings: Closings,
): AsyncGenerator<{ slice: LedgerSlice; shares: SliceShares }> {
  const steps = stepsOf(corrections, posted, closings);
  const texts = new Texts();
  const founded = steps.filter(({ basis }) => basis !== undefined);
  const live = steps.filter(({ basis }) => basis === undefined);
  const bases = new Map(founded.map(({ basis }) => [basis!.id, basis!]));
  const byBasis = grouped(founded, ({ basis }) => basis!.id);
  for await (const { posted: basis, shares } of readPostedShares(store.columns, [...bases.values()], texts)) {
    const of = byBasis.get(basis.id)!;
    if (canFollow(shares)) {
      for (const { slice, beforeAtto } of of) {
        const byAmounts = isSharedByMore(slice);
        const after = like(shares, beforeAtto + slice.amountAtto, byAmounts);
        const before = like(shares, beforeAtto, byAmounts);
        yield { slice, shares: difference(after, before) };
      }
    } else live.push(...of);
  }
  yield* sharedLive(store, live);
}

/** Puts corrections of the same time and pool one after the other: closed ones are part of what stood before, then the earlier bill. */
function stepsOf(corrections: readonly LedgerSlice[], posted: Iterable<PostedSlice>, closings: Closings): Step[] {
  const wanted = grouped(corrections, placeKey);
  const closed = new Map<string, PostedSlice[]>();
  for (const each of posted) {
    const key = placeKey(each.slice);
    if (!wanted.has(key) || !closings.hasSlice(each.slice)) continue;
    closed.set(key, [...(closed.get(key) ?? []), each]);
  }
  return [...wanted].flatMap(([key, slices]) => {
    const before = (closed.get(key) ?? []).sort((a, b) => inOrder(a.slice, b.slice));
    let beforeAtto = before.reduce((sum, { slice }) => sum + slice.amountAtto, 0n);
    return [...slices].sort(inOrder).map((slice) => {
      const step = { slice, beforeAtto, basis: before[0] };
      beforeAtto += slice.amountAtto;
      return step;
    });
  });
}

function inOrder(a: LedgerSlice, b: LedgerSlice): number {
  return a.billingStartMs - b.billingStartMs || (a.restatesMs ?? -1) - (b.restatesMs ?? -1);
}

/** By the work as it is known now: for what had no share when its period was closed. */
async function* sharedLive(store: Store, steps: readonly Step[]) {
  const inTime = [...steps].sort(
    (a, b) => a.slice.chargeStartMs - b.slice.chargeStartMs || a.slice.chargeEndMs - b.slice.chargeEndMs,
  );
  const pairs = inTime.flatMap(({ slice, beforeAtto }) => [
    { ...slice, amountAtto: beforeAtto + slice.amountAtto },
    { ...slice, amountAtto: beforeAtto },
  ]);
  let [place, after] = [0, undefined as SliceShares | undefined];
  for await (const { shares } of allocate(store, pairs)) {
    if (after === undefined) after = shares;
    else {
      yield { slice: inTime[place]!.slice, shares: difference(after, shares) };
      [place, after] = [place + 1, undefined];
    }
  }
}

/** Services, one behind the other, as a step-down leaves them; without one there is a single one. */
function servicesOf(shares: SliceShares): { from: number; to: number; amount: bigint }[] {
  const parts: { from: number; to: number; amount: bigint }[] = [];
  for (let place = 0; place < shares.services.length; place++) {
    const amount = shares.amounts.get(place);
    const last = parts.at(-1);
    if (last && shares.services[last.from] === shares.services[place]) {
      last.to = place + 1;
      last.amount += amount;
    } else parts.push({ from: place, to: place + 1, amount });
  }
  return parts;
}

/** What several services had of nothing says nothing of how to split something among them. */
function canFollow(shares: SliceShares): boolean {
  const parts = servicesOf(shares);
  return parts.length === 1 || parts.some(({ amount }) => amount !== 0n);
}

/** Whether more than a driver among services decided: then only amounts say how it was shared. */
function isSharedByMore({ pool }: LedgerSlice): boolean {
  return pool !== null && (pool.into !== null || pool.steps.some(({ over }) => over === 'tenant'));
}

/** What somebody was given without a measure, or by several, says by its amount how it was shared. */
function weightsOf(basis: SliceShares, from: number, to: number, byAmounts: boolean): Int128Column {
  const weights = new Int128Column(basis.weights.words.slice(4 * from, 4 * to));
  if (!byAmounts && weights.sum() !== 0n) return weights;
  const amounts = Int128Column.zeros(to - from);
  for (let place = 0; place < to - from; place++) {
    const amount = basis.amounts.get(from + place);
    amounts.set(place, amount < 0n ? -amount : amount);
  }
  if (amounts.sum() !== 0n) return amounts;
  if (weights.sum() !== 0n) return weights;
  for (let place = 0; place < to - from; place++) amounts.set(place, 1n);
  return amounts;
}

/** Shares out an amount as another was: over services by what they had, in each by the weights. */
function like(basis: SliceShares, amountAtto: bigint, byAmounts: boolean): SliceShares {
  const shares = { ...basis, amounts: Int128Column.zeros(basis.accounts.length) };
  const services = servicesOf(basis);
  const parts =
    services.length === 1
      ? [amountAtto]
      : shareOut(
          amountAtto,
          services.map(({ amount }) => (amount < 0n ? -amount : amount)),
        );
  services.forEach(({ from, to }, place) => {
    const weights = weightsOf(basis, from, to, byAmounts);
    const isWhole =
      basis.accounts[from] === accountNumbers.idle || basis.accounts[from] === accountNumbers.out_of_scope;
    const amounts = isWhole ? Int128Column.of(parts[place]!) : shareOutMany(parts[place]!, weights);
    shares.amounts.words.set(amounts.words, 4 * from);
  });
  return shares;
}

/** Takes  both: over the same takers. */
function difference(after: SliceShares, before: SliceShares): SliceShares {
  const count = after.accounts.length;
  assert(count === before.accounts.length, 'a correction has the takers of what it corrects');
  const shares = { ...emptyShares(after.texts, 0), ...after, amounts: Int128Column.zeros(count) };
  for (let place = 0; place < count; place++)
    shares.amounts.set(place, after.amounts.get(place) - before.amounts.get(place));
  return shares;
}
