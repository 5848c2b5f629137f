import { assert } from '../model/index.ts';

/** So many words of 32 bits add up in a double without losing a digit. */
const EXACT_SUMMANDS = 2 ** 20;

/**
 * A column of whole numbers of 128 bits, as they lie in the engine's memory: four words each, the lowest first, two's complement.
 * As bigints, a million of them would be a million objects.
 */
export class Int128Column {
  readonly words: Uint32Array;

  constructor(words: Uint32Array) {
    this.words = words;
  }

  static zeros(count: number): Int128Column {
    return new Int128Column(new Uint32Array(4 * count));
  }

  static of(...values: readonly bigint[]): Int128Column {
    const column = Int128Column.zeros(values.length);
    values.forEach((value, place) => {
      column.set(place, value);
    });
    return column;
  }

  get count(): number {
    return this.words.length / 4;
  }

  get(place: number): bigint {
    const at = 4 * place;
    const [lowest, low, high, highest] = this.words.subarray(at, at + 4);
    return (BigInt(highest! | 0) << 96n) | (BigInt(high!) << 64n) | (BigInt(low!) << 32n) | BigInt(lowest!);
  }

  set(place: number, value: bigint): void {
    assert(BigInt.asIntN(128, value) === value, 'a number of a column has 128 bits');
    for (let word = 0; word < 4; word++) {
      this.words[4 * place + word] = Number(BigInt.asUintN(32, value >> BigInt(32 * word)));
    }
  }

  /** Adds one of another column's numbers to one of these. */
  add(place: number, from: Int128Column, fromPlace: number): void {
    const words = this.words;
    let carry = 0;
    for (let word = 0; word < 4; word++) {
      const sum = words[4 * place + word]! + from.words[4 * fromPlace + word]! + carry;
      words[4 * place + word] = sum;
      carry = sum > 0xffff_ffff ? 1 : 0;
    }
    assert(carry === 0 && words[4 * place + 3]! < 0x8000_0000, 'a sum of numbers that are not negative has 127 bits');
  }

  /** Adds one to a number that is not negative. */
  increment(place: number): void {
    for (let at = 4 * place; at < 4 * place + 4; at++) {
      this.words[at] = this.words[at]! + 1;
      if (this.words[at] !== 0) return;
    }
  }

  isPositive(place: number): boolean {
    const at = 4 * place;
    const highest = this.words[at + 3]!;
    return highest < 0x8000_0000 && (this.words[at]! | this.words[at + 1]! | this.words[at + 2]! | highest) !== 0;
  }

  /** Tells whether two of the numbers are the same. */
  isSame(place: number, other: number): boolean {
    for (let word = 0; word < 4; word++) {
      if (this.words[4 * place + word] !== this.words[4 * other + word]) return false;
    }
    return true;
  }

  /** The bits that are set in any of the numbers, as one number: none of them has more digits. Takes  no negative ones. */
  union(): bigint {
    let [lowest, low, high, highest] = [0, 0, 0, 0];
    const words = this.words;
    for (let at = 0; at < words.length; at += 4) {
      lowest |= words[at]!;
      low |= words[at + 1]!;
      high |= words[at + 2]!;
      highest |= words[at + 3]!;
    }
    const all = Int128Column.zeros(1);
    all.words.set([lowest, low, high, highest]);
    return all.get(0);
  }

  /** Adds all of them up; the sum may have more bits than they have. */
  sum(): bigint {
    const words = this.words;
    let [sum, negative] = [0n, 0];
    for (let from = 0; from < words.length; from += 4 * EXACT_SUMMANDS) {
      const to = Math.min(words.length, from + 4 * EXACT_SUMMANDS);
      let [lowest, low, high, highest] = [0, 0, 0, 0];
      for (let at = from; at < to; at += 4) {
        lowest += words[at]!;
        low += words[at + 1]!;
        high += words[at + 2]!;
        highest += words[at + 3]!;
        negative += words[at + 3]! >>> 31;
      }
      sum += BigInt(lowest) + (BigInt(low) << 32n) + (BigInt(high) << 64n) + (BigInt(highest) << 96n);
    }
    return sum - (BigInt(negative) << 128n);
  }

  /** Gives the same numbers with the other sign. */
  negated(): Int128Column {
    const negative = Int128Column.zeros(this.count);
    const [from, to] = [this.words, negative.words];
    for (let at = 0; at < from.length; at += 4) {
      let carry = 1;
      for (let word = at; word < at + 4; word++) {
        const flipped = (~from[word]! >>> 0) + carry;
        to[word] = flipped;
        carry = flipped > 0xffff_ffff ? 1 : 0;
      }
    }
    return negative;
  }
}
