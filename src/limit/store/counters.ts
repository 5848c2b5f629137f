import type { CompiledLimit } from '../policy/compile.ts';
import { LARGEST_UNITS } from '../policy/policy.ts';
import type { Line } from './counter-store.ts';

/** Three numbers of every counter: what is used (of a rate: its debt), the window it belongs to, and since when it is over. */
export const STATE = 3;

/** What was used beyond this is not counted any more: every amount is below, and a sum of two of them is exact. */
export const LARGEST_SUM = LARGEST_UNITS;

/** Where one counter stands in its arrays. */
export interface Place {
  readonly state: Float64Array;
  readonly at: number;
  /** Of a rolling window: a count for each part, one more than the window has, so that the oldest counts in full. */
  readonly ring: Float64Array | Uint32Array | null;
  readonly ringAt: number;
}

/**
 * Brings a counter up to a moment: a rate's debt drains, windows that are over are left. Nothing is taken.
 *
 * Holds  time that goes backward changes nothing. All numbers stay whole and below 2^53, where doubles are exact.
 */
export function advance(place: Place, line: Line, nowUs: number): void {
  const { state, at } = place;
  const { limit } = line;
  switch (limit.algorithm) {
    case 'rate': {
      const tick = Math.floor(nowUs / limit.tickUs);
      const elapsed = tick - state[at + 1]!;
      if (elapsed <= 0) return;
      const debt = state[at]!;
      // Debt is in ticks of one unit; a tick pays back `amount`. A long rest is compared first, so that no product grows beyond 2^53.
      state[at] = elapsed > debt / line.amount ? 0 : Math.max(0, debt - elapsed * line.amount);
      state[at + 1] = tick;
      return;
    }
    case 'fixed':
      enter(place, Math.floor(nowUs / limit.length) * limit.length);
      return;
    case 'calendar':
      enter(place, line.calendar!.at(nowUs).startUs);
      return;
    case 'rolling':
      roll(place, line, Math.floor(nowUs / limit.partUs));
      return;
    case 'concurrency':
      return;
  }
}

function enter({ state, at }: Place, startUs: number): void {
  if (startUs <= state[at + 1]!) return;
  state[at] = 0;
  state[at + 1] = startUs;
  state[at + 2] = 0;
}

function roll({ state, at, ring, ringAt }: Place, line: Line, part: number): void {
  const last = state[at + 1]!;
  if (part <= last) return;
  const size = line.limit.parts + 1;
  if (part - last >= size) {
    if (state[at]! > 0) ring!.fill(0, ringAt, ringAt + size);
    state[at] = 0;
  } else {
    for (let each = last + 1; each <= part; each++) {
      const slot = ringAt + (each % size);
      state[at]! -= ring![slot]!;
      ring![slot] = 0;
    }
  }
  state[at + 1] = part;
  if (state[at]! <= line.amount) state[at + 2] = 0;
}

/** Gives how many units fit now. */
export function room({ state, at }: Place, line: Line, nowUs: number): number {
  const { limit, amount, ceiling } = line;
  if (limit.algorithm === 'rate') return Math.max(0, Math.floor((ceiling * limit.length - state[at]!) / limit.length));
  const since = state[at + 2]!;
  const isGraceOver = limit.graceUs > 0 && since > 0 && nowUs >= since + limit.graceUs;
  return Math.max(0, (isGraceOver ? amount : ceiling) - state[at]!);
}

/** Gives what is used, in whole units; of a rate rounded up. */
export function used({ state, at }: Place, limit: CompiledLimit): number {
  return limit.algorithm === 'rate' ? Math.ceil(state[at]! / limit.length) : state[at]!;
}

/** Takes units; whether they fit was asked before. Gives what tells the window, for giving back. */
export function take({ state, at, ring, ringAt }: Place, line: Line, cost: number, nowUs: number): number {
  const { limit } = line;
  if (limit.algorithm === 'rate') {
    state[at]! += cost * limit.length;
    return state[at + 1]!;
  }
  state[at]! += cost;
  if (state[at]! > line.amount && state[at + 2] === 0) state[at + 2] = nowUs;
  if (limit.algorithm === 'rolling') ring![ringAt + (state[at + 1]! % (limit.parts + 1))]! += cost;
  return state[at + 1]!;
}

/**
 * Gives units back to the window they were taken from; a window that is over has nothing to give back to.
 * Of a rate, what has drained meanwhile is not given back: the counter never says less than without the call.
 *
 * Takes  amount: of the limit, as it was when they were taken.
 */
export function giveBack(place: Place, limit: CompiledLimit, amount: number, cost: number, takenIn: number): void {
  const { state, at, ring, ringAt } = place;
  if (limit.algorithm === 'rate') {
    const elapsed = state[at + 1]! - takenIn;
    const whole = cost * limit.length;
    if (elapsed <= whole / amount) state[at] = Math.max(0, state[at]! - Math.max(0, whole - elapsed * amount));
  } else if (limit.algorithm === 'rolling') {
    if (state[at + 1]! - takenIn > limit.parts) return;
    const slot = ringAt + (takenIn % (limit.parts + 1));
    const back = Math.min(cost, ring![slot]!);
    ring![slot]! -= back;
    state[at]! -= back;
  } else if (state[at + 1] === takenIn) state[at] = Math.max(0, state[at]! - cost);
  if (limit.algorithm !== 'rate' && state[at]! <= amount) state[at + 2] = 0;
}

/** Counts more than fitted, because it has happened: in the window it belongs to, or in none when that is over. */
export function takeMore(place: Place, limit: CompiledLimit, cost: number, takenIn: number): void {
  const { state, at, ring, ringAt } = place;
  if (limit.algorithm === 'rate') {
    const isTooMuch = cost > LARGEST_SUM / limit.length;
    state[at] = isTooMuch ? LARGEST_SUM : Math.max(state[at]!, Math.min(LARGEST_SUM, state[at]! + cost * limit.length));
    return;
  }
  if (limit.algorithm === 'rolling') {
    if (state[at + 1]! - takenIn > limit.parts) return;
    const slot = ringAt + (takenIn % (limit.parts + 1));
    // The sum of all parts stays exact too: what is rounded would be there when they have gone, or missing.
    const most = ring instanceof Uint32Array ? 2 ** 32 - 1 - ring[slot]! : Number.MAX_SAFE_INTEGER;
    const more = Math.max(0, Math.min(cost, most, LARGEST_SUM - state[at]!));
    ring![slot]! += more;
    state[at]! += more;
  } else if (state[at + 1] === takenIn) state[at] = Math.max(state[at]!, Math.min(LARGEST_SUM, state[at]! + cost));
}

/** Gives when units would fit that do not now; -1 for never. */
export function freesAt(place: Place, line: Line, cost: number, nowUs: number): number {
  const { state, at } = place;
  const { limit, amount, ceiling } = line;
  if (cost > (limit.graceUs > 0 ? Math.max(amount, ceiling) : ceiling)) return -1;
  switch (limit.algorithm) {
    case 'rate': {
      const excess = state[at]! + cost * limit.length - ceiling * limit.length;
      return (state[at + 1]! + Math.ceil(excess / amount)) * limit.tickUs;
    }
    case 'fixed':
      return state[at + 1]! + limit.length;
    case 'calendar':
      return line.calendar!.at(Math.max(nowUs, state[at + 1]!)).endUs;
    case 'rolling':
      return rollsFreeAt(place, line, cost);
    // Who holds a place says when it is free again.
    case 'concurrency':
      return nowUs + 1_000_000;
  }
}

function rollsFreeAt({ state, at, ring, ringAt }: Place, line: Line, cost: number): number {
  const { parts, partUs } = line.limit;
  const last = state[at + 1]!;
  let left = state[at]!;
  for (let part = last - parts; part <= last; part++) {
    if (part < 0) continue;
    left -= ring![ringAt + (part % (parts + 1))]!;
    if (left + cost <= line.amount || (left === 0 && cost <= line.ceiling)) return (part + parts + 1) * partUs;
  }
  return (last + parts + 1) * partUs;
}

/** Gives when the window ends; of a rate when it is paid back; of a rolling window when its next part goes. */
export function resetsAt(place: Place, line: Line, nowUs: number): number {
  const { state, at, ring, ringAt } = place;
  const { limit, amount } = line;
  if (limit.algorithm === 'rate') return (state[at + 1]! + Math.ceil(state[at]! / amount)) * limit.tickUs;
  if (limit.algorithm === 'concurrency') return nowUs;
  if (limit.algorithm === 'fixed') return state[at + 1]! + limit.length;
  if (limit.algorithm === 'calendar') return line.calendar!.at(Math.max(nowUs, state[at + 1]!)).endUs;
  if (state[at] === 0) return nowUs;
  const last = state[at + 1]!;
  for (let part = Math.max(0, last - limit.parts); part <= last; part++)
    if (ring![ringAt + (part % (limit.parts + 1))]! > 0) return (part + limit.parts + 1) * limit.partUs;
  return nowUs;
}
