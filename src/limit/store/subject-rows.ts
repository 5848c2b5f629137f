import { type Level, levels, type Subject } from '../subject.ts';

/** Gives each pair of numbers a number of its own, from 0 on: open addressing on flat arrays, so that a million pairs are not a million objects. */
class Pairs {
  #slots = new Int32Array(64);
  #firsts = new Int32Array(32);
  #seconds = new Int32Array(32);
  size = 0;

  find(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash(first, second) & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot]! - 1;
      if (id < 0 || (this.#firsts[id] === first && this.#seconds[id] === second)) return id;
    }
  }

  add(first: number, second: number): number {
    const known = this.find(first, second);
    if (known >= 0) return known;
    if (this.size === this.#firsts.length) this.#grow();
    const id = this.size++;
    this.#firsts[id] = first;
    this.#seconds[id] = second;
    this.#place(id);
    return id;
  }

  of(id: number): readonly [number, number] {
    return [this.#firsts[id]!, this.#seconds[id]!];
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = hash(this.#firsts[id]!, this.#seconds[id]!) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id + 1;
  }

  #grow(): void {
    this.#firsts = grown(this.#firsts);
    this.#seconds = grown(this.#seconds);
    this.#slots = new Int32Array(this.#slots.length * 2);
    for (let id = 0; id < this.size; id++) this.#place(id);
  }
}

function grown(array: Int32Array): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(array.length * 2);
  longer.set(array);
  return longer;
}

function hash(first: number, second: number): number {
  let mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second + 0x7f4a7c15, 0x85ebca6b);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

/** Gives each name a number of its own. */
class Names {
  readonly #ids = new Map<string, number>();
  readonly #texts: string[] = [];

  get size(): number {
    return this.#texts.length;
  }

  find(text: string): number {
    return this.#ids.get(text) ?? -1;
  }

  add(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    this.#ids.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  of(id: number): string {
    return this.#texts[id]!;
  }
}

/** The levels that a policy tells apart, and where their pairs are. */
export interface Path {
  readonly per: readonly Level[];
  /** Of each level after the first: those of the levels so far. */
  readonly pairs: readonly Pairs[];
}

/** Numbers everybody that something was counted for: counters are found by number, the same one for all limits of a level. */
export class SubjectRows {
  readonly #names: Record<Level, Names> = {
    ...{ organisation: new Names(), tenant: new Names(), consumer: new Names(), endpoint: new Names() },
  };
  /** A tenant is one of its organisation; -1 where it is its own. */
  readonly #tenants = new Pairs();
  readonly #paths = new Map<string, Pairs>();
  #subject: Subject | null = null;
  #organisation = -1;
  #tenant = -1;
  #consumer = -1;
  #endpoint = -1;

  /** How many numbers were given. */
  get size(): number {
    let size = this.#tenants.size;
    for (const level of levels) size += this.#names[level].size;
    for (const pairs of this.#paths.values()) size += pairs.size;
    return size;
  }

  /** Gives the way to the rows of a policy; policies that tell the same levels apart have the same rows. */
  pathOf(per: readonly Level[]): Path {
    const pairs = per.slice(1).map((_, step) => {
      const name = per.slice(0, step + 2).join(' ');
      const known = this.#paths.get(name) ?? new Pairs();
      this.#paths.set(name, known);
      return known;
    });
    return { per, pairs };
  }

  /** Gives the row of a subject; -1 when there is none. */
  find({ per, pairs }: Path, subject: Subject): number {
    // All limits of a decision ask about one subject.
    if (this.#subject !== subject) this.#lookUp(subject);
    if (per.length === 0) return 0;
    let row = this.#found(per[0]!);
    for (let step = 1; step < per.length; step++) {
      const next = this.#found(per[step]!);
      if (row < 0 || next < 0) return -1;
      row = pairs[step - 1]!.find(row, next);
    }
    return row;
  }

  add({ per, pairs }: Path, subject: Subject): number {
    this.#subject = null;
    let row = 0;
    for (let step = 0; step < per.length; step++) {
      const id = this.#addLevel(per[step]!, subject);
      row = step === 0 ? id : pairs[step - 1]!.add(row, id);
    }
    return row;
  }

  /** Gives the names that lead to a row; what it does not depend on is empty. */
  subjectOf({ per, pairs }: Path, row: number): Subject {
    const subject = { organisation: '', tenant: '', consumer: '', endpoint: '' };
    let at = row;
    for (let step = per.length - 1; step >= 0; step--) {
      const [before, id] = step === 0 ? [0, at] : pairs[step - 1]!.of(at);
      this.#name(per[step]!, id, subject);
      at = before;
    }
    return subject;
  }

  #name(level: Level, id: number, subject: Record<Level, string>): void {
    if (level !== 'tenant') {
      subject[level] = this.#names[level].of(id);
      return;
    }
    const [organisation, tenant] = this.#tenants.of(id);
    subject.tenant = this.#names.tenant.of(tenant);
    subject.organisation = organisation < 0 ? subject.tenant : this.#names.organisation.of(organisation);
  }

  #lookUp(subject: Subject): void {
    const { organisation, tenant, consumer, endpoint } = subject;
    const names = this.#names;
    this.#subject = subject;
    this.#organisation = names.organisation.find(organisation);
    const named = names.tenant.find(tenant);
    const isOwn = organisation === tenant;
    const isKnown = named >= 0 && (isOwn || this.#organisation >= 0);
    this.#tenant = isKnown ? this.#tenants.find(isOwn ? -1 : this.#organisation, named) : -1;
    this.#consumer = names.consumer.find(consumer);
    this.#endpoint = names.endpoint.find(endpoint);
  }

  #found(level: Level): number {
    if (level === 'tenant') return this.#tenant;
    if (level === 'consumer') return this.#consumer;
    return level === 'endpoint' ? this.#endpoint : this.#organisation;
  }

  #addLevel(level: Level, subject: Subject): number {
    const id = this.#names[level].add(subject[level]);
    if (level !== 'tenant') return id;
    const isOwn = subject.organisation === subject.tenant;
    return this.#tenants.add(isOwn ? -1 : this.#names.organisation.add(subject.organisation), id);
  }
}
