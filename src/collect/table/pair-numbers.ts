const FIRST_PLACES = 256;
const GOLDEN = 0x9e3779b1;

/** Numbers for pairs of numbers: equal pairs have equal numbers, from 1 on in the order of their first use. */
export class PairNumbers {
  #count = 0;
  #first = new Uint32Array(FIRST_PLACES);
  #second = new Uint32Array(FIRST_PLACES);
  /** Open addressing: numbers of pairs, 0 where a place is free. */
  #places = new Uint32Array(FIRST_PLACES * 2);

  of(first: number, second: number): number {
    const mask = this.#places.length - 1;
    let place = placeOf(first, second) & mask;
    for (let pair = this.#places[place]!; pair !== 0; place = (place + 1) & mask, pair = this.#places[place]!) {
      if (this.#first[pair] === first && this.#second[pair] === second) return pair;
    }
    const pair = ++this.#count;
    if (pair === this.#first.length) this.#grow();
    this.#first[pair] = first;
    this.#second[pair] = second;
    this.#put(pair);
    return pair;
  }

  clear(): void {
    this.#count = 0;
    this.#places.fill(0);
  }

  #put(pair: number): void {
    const mask = this.#places.length - 1;
    let place = placeOf(this.#first[pair]!, this.#second[pair]!) & mask;
    while (this.#places[place] !== 0) place = (place + 1) & mask;
    this.#places[place] = pair;
  }

  #grow(): void {
    const [first, second] = [this.#first, this.#second];
    this.#first = new Uint32Array(first.length * 2);
    this.#second = new Uint32Array(first.length * 2);
    this.#first.set(first);
    this.#second.set(second);
    this.#places = new Uint32Array(this.#places.length * 2);
    for (let pair = 1; pair < first.length; pair++) this.#put(pair);
  }
}

/** The numbers are those of texts, which nobody outside chooses. */
function placeOf(first: number, second: number): number {
  const mixed = Math.imul(Math.imul(first, GOLDEN) ^ second, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
