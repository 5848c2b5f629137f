/** Compares ids by their bytes: the first byte of a word is its lowest. */
export function compareWords(a: Uint32Array, from: number, b: Uint32Array, other: number, words: number): number {
  for (let word = 0; word < words; word++) {
    const [one, two] = [swapped(a[from + word]!), swapped(b[other + word]!)];
    if (one !== two) return one - two;
  }
  return 0;
}

function swapped(word: number): number {
  return (((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
