import type { Block } from '../../store/index.ts';

const LARGEST = Number.MAX_SAFE_INTEGER;
const TWO_32 = 2 ** 32;
const LOW_64 = 2n ** 64n - 1n;

/** Whole numbers added up by group, exactly however large they become: as doubles while these hold them, what does not fit beside. */
export class ExactSums {
  readonly #sums: Float64Array;
  /** What was moved out of the doubles, by group. */
  readonly #moved = new Map<number, bigint>();
  #isZero = true;

  constructor(groups: number) {
    this.#sums = new Float64Array(groups);
  }

  /** Whether nothing but zeros was added. */
  get isZero(): boolean {
    return this.#isZero;
  }

  /** Takes  value: whole; beyond 2^53 as a bigint. */
  add(group: number, value: number | bigint): void {
    if (typeof value === 'bigint') this.#move(group, value);
    else if (value !== 0) {
      this.#isZero = false;
      const sum = this.#sums[group]! + value;
      if (sum <= LARGEST && sum >= -LARGEST) this.#sums[group] = sum;
      else {
        this.#move(group, BigInt(this.#sums[group]!));
        this.#sums[group] = value;
      }
    }
  }

  of(group: number): bigint {
    return BigInt(this.#sums[group]!) + (this.#moved.get(group) ?? 0n);
  }

  /** Adds the sums to a block as a column, one row for each group; of half the width where they fit it. */
  addTo(block: Block, column: string): void {
    if (this.#moved.size === 0) block.fixed(column, 'Int64', this.#halves());
    else block.fixed(column, 'Int128', this.#wholes());
  }

  #move(group: number, value: bigint): void {
    this.#isZero = false;
    this.#moved.set(group, (this.#moved.get(group) ?? 0n) + value);
  }

  #halves(): Uint32Array {
    const sums = this.#sums;
    const words = new Uint32Array(sums.length * 2);
    for (let group = 0; group < sums.length; group++) {
      const sum = sums[group]!;
      words[group * 2] = sum;
      words[group * 2 + 1] = Math.floor(sum / TWO_32);
    }
    return words;
  }

  #wholes(): BigUint64Array {
    const words = new BigUint64Array(this.#sums.length * 2);
    for (let group = 0; group < this.#sums.length; group++) {
      const sum = BigInt.asUintN(128, this.of(group));
      words[group * 2] = sum & LOW_64;
      words[group * 2 + 1] = sum >> 64n;
    }
    return words;
  }
}
