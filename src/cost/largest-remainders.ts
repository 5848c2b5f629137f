/** So many leading bits of a remainder are looked at first. */
export const LEAD_BITS = 48;
const BUCKET_BITS = 16;
const BUCKET = 2 ** (LEAD_BITS - BUCKET_BITS);

/**
 * Finds the largest remainders of a division; of equal ones the earlier.
 *
 * Takes  leads: the leading bits of remainder / total, cut off, at most one unit off. count: how many to find.
 *        exactOf: the remainder itself; asked only where the leading bits do not decide.
 * Gives  the places of `count` remainders.
 */
export function largestRemainders(leads: Float64Array, count: number, exactOf: (place: number) => bigint): number[] {
  if (count === 0) return [];
  const edge = largestAt(leads, count);
  const taken: number[] = [];
  const atEdge: number[] = [];
  for (let place = 0; place < leads.length; place++) {
    const lead = leads[place]!;
    // Each is one unit off at most, so two units apart tell for certain.
    if (lead > edge + 1) taken.push(place);
    else if (lead >= edge - 1) atEdge.push(place);
  }
  return [...taken, ...largestExactly(atEdge, count - taken.length, exactOf)];
}

function largestExactly(places: number[], count: number, exactOf: (place: number) => bigint): number[] {
  const exact = places.map(exactOf);
  const edge = exact.toSorted((a, b) => (a > b ? -1 : a < b ? 1 : 0))[count - 1]!;
  const isAbove = exact.map((remainder) => remainder > edge);
  let atEdge = count - isAbove.filter(Boolean).length;
  return places.filter((_, place) => isAbove[place] || (exact[place] === edge && atEdge-- > 0));
}

/** Gives the `count`-th largest of numbers below 2^48. Counting many by their first bits leaves few to be sorted. */
function largestAt(numbers: Float64Array, count: number): number {
  if (numbers.length < 2 ** BUCKET_BITS) return numbers.toSorted()[numbers.length - count]!;
  const counts = new Uint32Array(2 ** BUCKET_BITS);
  for (let place = 0; place < numbers.length; place++) counts[Math.floor(numbers[place]! / BUCKET)]!++;
  let bucket = counts.length - 1;
  let rest = count;
  for (; counts[bucket]! < rest; bucket--) rest -= counts[bucket]!;
  const inBucket = new Float64Array(counts[bucket]!);
  for (let place = 0, found = 0; found < inBucket.length; place++) {
    if (Math.floor(numbers[place]! / BUCKET) === bucket) inBucket[found++] = numbers[place]!;
  }
  return inBucket.sort()[inBucket.length - rest]!;
}
