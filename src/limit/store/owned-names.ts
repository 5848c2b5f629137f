import { randomInt } from 'node:crypto';

/** Of each slot, side by side so that a look-up reads one line of the memory: hash, owner, number + 1, and one to fill the line. */
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
  readonly #texts: string[] = [];

  get size(): number {
    return this.#texts.length;
  }

  /** Gives the number; -1 when there is none. */
  find(owner: number, text: string): number {
    const wanted = hash(owner, text);
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = (wanted << SLOT_BITS) & mask; ; at = (at + SLOT) & mask) {
      const id = slots[at + 2]! - 1;
      if (id < 0 || (slots[at] === wanted && slots[at + 1] === owner && this.#texts[id] === text)) return id;
    }
  }

  add(owner: number, text: string): number {
    const known = this.find(owner, text);
    if (known >= 0) return known;
    const id = this.#texts.push(text) - 1;
    if (id === this.#owners.length) this.#grow();
    this.#owners[id] = owner;
    place(this.#slots, hash(owner, text), owner, id);
    return id;
  }

  ownerOf(id: number): number {
    return this.#owners[id]!;
  }

  textOf(id: number): string {
    return this.#texts[id]!;
  }

  #grow(): void {
    const owners = new Int32Array(this.#owners.length * 2);
    owners.set(this.#owners);
    this.#owners = owners;
    const before = this.#slots;
    this.#slots = new Int32Array(before.length * 2);
    for (let at = 0; at < before.length; at += SLOT)
      if (before[at + 2] !== 0) place(this.#slots, before[at]!, before[at + 1]!, before[at + 2]! - 1);
  }
}

function place(slots: Int32Array, hashed: number, owner: number, id: number): void {
  const mask = slots.length - 1;
  let at = (hashed << SLOT_BITS) & mask;
  while (slots[at + 2] !== 0) at = (at + SLOT) & mask;
  slots[at] = hashed;
  slots[at + 1] = owner;
  slots[at + 2] = id + 1;
}

/** From  Bob Jenkins' one-at-a-time, which the runtime's own maps use too, with a seed. */
function hash(owner: number, text: string): number {
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
