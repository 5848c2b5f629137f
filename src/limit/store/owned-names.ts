import { randomInt } from 'node:crypto';
import { Texts } from './texts.ts';

/** Of each slot, side by side so that a look-up reads one line of the memory: hash, owner, number + 1, where its text is. */
const SLOT_BITS = 2;
const SLOT = 1 << SLOT_BITS;

/** Nobody who chooses names can choose where they go: each process mixes them another way. */
const SEED = randomInt(2 ** 32) | 0;

/**
 * Gives each name of each owner a number of its own, from 0 on. Open addressing on flat arrays, so that a million names are not a million objects,
 * and finding one among them waits for the memory as seldom as can be.
 */
export class OwnedNames {
  #slots = new Int32Array(64 * SLOT);
  #owners = new Int32Array(32);
  #places = new Int32Array(32);
  readonly #texts = new Texts();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Gives the number; -1 when there is none. */
  find(owner: number, text: string): number {
    return this.findHashed(hashOf(owner, text), owner, text);
  }

  /** The same, for those who had to know the hash before. */
  findHashed(hashed: number, owner: number, text: string): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = (hashed << SLOT_BITS) & mask; ; at = (at + SLOT) & mask) {
      const id = slots[at + 2]! - 1;
      if (id < 0) return -1;
      if (slots[at] === hashed && slots[at + 1] === owner && this.#texts.isAt(slots[at + 3]!, text)) return id;
    }
  }

  /** Reads the slot where a look-up begins, so that it is on its way while others are asked for. Gives  something that depends on it. */
  touchSlot(hashed: number): number {
    return this.#slots[(hashed << SLOT_BITS) & (this.#slots.length - 1)]!;
  }

  /** The same for the text that it names. */
  touchText(hashed: number): number {
    return this.#texts.touch(this.#slots[((hashed << SLOT_BITS) & (this.#slots.length - 1)) + 3]!);
  }

  add(owner: number, text: string): number {
    const hashed = hashOf(owner, text);
    const known = this.findHashed(hashed, owner, text);
    if (known >= 0) return known;
    const id = this.#size++;
    if (id === this.#owners.length) this.#grow();
    this.#owners[id] = owner;
    this.#places[id] = this.#texts.add(text);
    place(this.#slots, hashed, owner, id, this.#places[id]!);
    return id;
  }

  ownerOf(id: number): number {
    return this.#owners[id]!;
  }

  textOf(id: number): string {
    return this.#texts.textAt(this.#places[id]!);
  }

  #grow(): void {
    this.#owners = doubled(this.#owners);
    this.#places = doubled(this.#places);
    const before = this.#slots;
    this.#slots = new Int32Array(before.length * 2);
    for (let at = 0; at < before.length; at += SLOT)
      if (before[at + 2] !== 0) place(this.#slots, before[at]!, before[at + 1]!, before[at + 2]! - 1, before[at + 3]!);
  }
}

function doubled(numbers: Int32Array): Int32Array<ArrayBuffer> {
  const more = new Int32Array(numbers.length * 2);
  more.set(numbers);
  return more;
}

function place(slots: Int32Array, hashed: number, owner: number, id: number, textAt: number): void {
  const mask = slots.length - 1;
  let at = (hashed << SLOT_BITS) & mask;
  while (slots[at + 2] !== 0) at = (at + SLOT) & mask;
  slots[at] = hashed;
  slots[at + 1] = owner;
  slots[at + 2] = id + 1;
  slots[at + 3] = textAt;
}

/** From  Bob Jenkins' one-at-a-time, which the runtime's own maps use too, with a seed. */
export function hashOf(owner: number, text: string): number {
  let mixed = SEED ^ Math.imul(owner, 0x9e3779b1);
  for (let at = 0; at < text.length; at++) {
    mixed = (mixed + text.charCodeAt(at)) | 0;
    mixed = (mixed + (mixed << 10)) | 0;
    mixed ^= mixed >>> 6;
  }
  mixed = (mixed + (mixed << 3)) | 0;
  mixed ^= mixed >>> 11;
  return (mixed + (mixed << 15)) | 0;
}
