import { assert, fail } from '../model/index.ts';
import { Int128Column } from './int128.ts';
import { LEAD_BITS, largestRemainders } from './largest-remainders.ts';

/** Numbers are multiplied in limbs of this many bits: products of two are exact in a double, and so is the sum of dozens. */
const LIMB_BITS = 24;
const LIMB = 2 ** LIMB_BITS;
const WEIGHT_LIMBS = 6;
const SHARE_LIMBS = 6;

/**
 * Splits one amount over many takers by weight, to the last unit, as `shareOut` does, without an object per taker.
 *
 * Each share is weight x (amount / total), where amount / total is worked out once, as a binary fraction rounded up with so many
 * digits that the error stays below 1 / total for every weight. Exact parts are multiples of 1 / total, so no error that small
 * can lift one to the next whole number: the digits before the point are the floor, exactly, and those behind it order the
 * remainders. Only remainders that look alike in their leading digits are worked out exactly.
 *
 * Takes  amountAtto: any sign, 127 bits. weights: one per taker, none negative.
 * Gives  one share per taker, in the same order.
 * Holds  gives what `shareOut` gives.
 * Fails  COST_NO_WEIGHT when there is nobody to charge.
 * From   division by multiplication: Granlund and Montgomery, Division by Invariant Integers using Multiplication, 1994.
 */
export function shareOutMany(amountAtto: bigint, weights: Int128Column): Int128Column {
  const union = weights.union();
  assert(union >= 0n, 'a weight is not negative');
  const total = weights.sum();
  if (total <= 0n) throw fail('COST_NO_WEIGHT');
  const magnitude = amountAtto < 0n ? -amountAtto : amountAtto;
  assert(bitsOf(magnitude) < 128, 'an amount has 127 bits');
  const fractionLimbs = Math.ceil((bitsOf(union) + Math.max(bitsOf(total), LEAD_BITS)) / LIMB_BITS);
  const scaled = magnitude << BigInt(fractionLimbs * LIMB_BITS);
  const factor = limbsOf((scaled + total - 1n) / total);
  const { shares, leads } = multiply(weights, Math.ceil(bitsOf(union) / LIMB_BITS), factor, fractionLimbs);
  const left = Number(magnitude - shares.sum());
  assert(left >= 0 && left < weights.count, 'fewer units are left than there are takers');
  const remainderOf = remaindersOf(weights, magnitude, total);
  for (const taker of largestRemainders(leads, left, remainderOf)) shares.increment(taker);
  return amountAtto < 0n ? shares.negated() : shares;
}

/** Multiplies every weight by the factor. Gives  shares: what is before the point. leads: the leading bits behind it. */
function multiply(weights: Int128Column, weightLimbs: number, factor: Float64Array, fractionLimbs: number) {
  const shares = Int128Column.zeros(weights.count);
  const leads = new Float64Array(weights.count);
  const weight = new Float64Array(WEIGHT_LIMBS);
  const product = new Float64Array(Math.max(fractionLimbs + SHARE_LIMBS, factor.length + weightLimbs));
  const productLimbs = factor.length + weightLimbs;
  // Zeros on both sides, so that every limb of the product is a sum of as many.
  const padded = new Float64Array(factor.length + 2 * weightLimbs);
  padded.set(factor, weightLimbs);
  for (let taker = 0; taker < leads.length; taker++) {
    readLimbs(weights.words, 4 * taker, weight);
    let carry = 0;
    for (let limb = 0; limb < productLimbs; limb++) {
      let sum = carry;
      for (let own = 0; own < weightLimbs; own++) sum += weight[own]! * padded[limb + weightLimbs - own]!;
      carry = Math.floor(sum / LIMB);
      product[limb] = sum - carry * LIMB;
    }
    leads[taker] = product[fractionLimbs - 1]! * LIMB + product[fractionLimbs - 2]!;
    writeLimbs(product, fractionLimbs, shares.words, 4 * taker);
  }
  return { shares, leads };
}

/** Gives what the division leaves over for a taker; takers of the same weight one after the other ask for it once. */
function remaindersOf(weights: Int128Column, magnitude: bigint, total: bigint): (taker: number) => bigint {
  let [known, remainder] = [-1, 0n];
  return (taker) => {
    if (known === -1 || !weights.isSame(known, taker)) remainder = (magnitude * weights.get(taker)) % total;
    known = taker;
    return remainder;
  };
}

function readLimbs(words: Uint32Array, at: number, limbs: Float64Array): void {
  const [lowest, low, high, highest] = [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!];
  limbs[0] = lowest & 0xff_ffff;
  limbs[1] = (lowest >>> 24) | ((low & 0xffff) << 8);
  limbs[2] = (low >>> 16) | ((high & 0xff) << 16);
  limbs[3] = high >>> 8;
  limbs[4] = highest & 0xff_ffff;
  limbs[5] = highest >>> 24;
}

function writeLimbs(limbs: Float64Array, from: number, words: Uint32Array, at: number): void {
  words[at] = limbs[from]! | (limbs[from + 1]! << 24);
  words[at + 1] = (limbs[from + 1]! >>> 8) | (limbs[from + 2]! << 16);
  words[at + 2] = (limbs[from + 2]! >>> 16) | (limbs[from + 3]! << 8);
  words[at + 3] = limbs[from + 4]! | (limbs[from + 5]! << 24);
}

function limbsOf(value: bigint): Float64Array {
  const limbs = new Float64Array(Math.max(1, Math.ceil(bitsOf(value) / LIMB_BITS)));
  for (let limb = 0, rest = value; rest > 0n; limb++, rest >>= BigInt(LIMB_BITS)) {
    limbs[limb] = Number(BigInt.asUintN(LIMB_BITS, rest));
  }
  return limbs;
}

function bitsOf(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}
