import type { Level, Subject } from '../subject.ts';
import { hashOf, OwnedNames } from './owned-names.ts';

/** The levels that a policy tells apart, and where the names of each step are. */
export interface Path {
  readonly per: readonly Level[];
  /** Of each level: its names, each owned by the row of the levels before it. */
  readonly steps: readonly OwnedNames[];
}

/** Owns the names of a path's first step; and a tenant that is its own organisation. */
const NOBODY = -1;
const NOT_LOOKED_UP = -2;
/** There is no row of the levels before the last. */
const MISSING = -2;
/** So many bits of its length make a name no longer than others: 64 characters. */
const LONG_BITS = 6;

/** Numbers everybody that something was counted for: counters are found by number, the same one for all limits of a level. */
export class SubjectRows {
  readonly #organisations = new OwnedNames();
  /** Each owned by its organisation, where it is not its own. */
  readonly #tenants = new OwnedNames();
  readonly #paths = new Map<string, OwnedNames>([
    ['organisation', this.#organisations],
    ['tenant', this.#tenants],
  ]);
  /** Most policies of a decision begin with the tenant. */
  #subject: Subject | null = null;
  #tenant = NOT_LOOKED_UP;
  /** Of the ways that are found together: who owns the last name, and its hash. */
  readonly #owners: number[] = [];
  readonly #hashes: number[] = [];
  /** How many numbers were given; that of a long name counts as several, since names are what takes the room. */
  size = 0;

  /** Gives the way to the rows of a policy; policies that tell the same levels apart have the same rows. */
  pathOf(per: readonly Level[]): Path {
    const steps = per.map((_, step) => {
      const name = per.slice(0, step + 1).join(' ');
      const known = this.#paths.get(name) ?? new OwnedNames();
      this.#paths.set(name, known);
      return known;
    });
    return { per, steps };
  }

  /** Gives the row of a subject; -1 when there is none. */
  find({ per, steps }: Path, subject: Subject): number {
    if (per.length === 0) return 0;
    let row = this.#findFirst(per[0]!, steps[0]!, subject);
    for (let step = 1; row >= 0 && step < per.length; step++) row = steps[step]!.find(row, nameAt(subject, per[step]!));
    return row;
  }

  /**
   * Finds the rows of a subject on many ways at once. Among a million names each look waits for the memory two or three times:
   * here what all of them need is asked for before the first one is looked at.
   *
   * Gives  something that depends on what was asked for.
   */
  findAll(paths: readonly Path[], subject: Subject, rows: number[]): number {
    let touched = 0;
    for (let i = 0; i < paths.length; i++) {
      const { per, steps } = paths[i]!;
      const last = per.length - 1;
      const owner = last < 1 ? MISSING : this.#ownerAt(paths[i]!, last, subject);
      this.#owners[i] = owner;
      if (owner === MISSING) rows[i] = last < 1 ? this.find(paths[i]!, subject) : -1;
      else this.#hashes[i] = hashOf(owner, nameAt(subject, per[last]!));
      if (owner !== MISSING) touched += steps[last]!.touchSlot(this.#hashes[i]!);
    }
    for (let i = 0; i < paths.length; i++)
      if (this.#owners[i] !== MISSING) touched += paths[i]!.steps.at(-1)!.touchText(this.#hashes[i]!);
    for (let i = 0; i < paths.length; i++) {
      const owner = this.#owners[i]!;
      if (owner === MISSING) continue;
      const { per, steps } = paths[i]!;
      const last = per.length - 1;
      rows[i] = steps[last]!.findHashed(this.#hashes[i]!, owner, nameAt(subject, per[last]!));
    }
    return touched;
  }

  #ownerAt({ per, steps }: Path, end: number, subject: Subject): number {
    let row = this.#findFirst(per[0]!, steps[0]!, subject);
    for (let step = 1; row >= 0 && step < end; step++) row = steps[step]!.find(row, nameAt(subject, per[step]!));
    return row < 0 ? MISSING : row;
  }

  add({ per, steps }: Path, subject: Subject): number {
    this.#subject = null;
    let row = NOBODY;
    for (let step = 0; step < per.length; step++) {
      const owner = step === 0 && per[0] === 'tenant' ? this.#addOwner(subject) : row;
      row = this.#add(steps[step]!, owner, nameAt(subject, per[step]!));
    }
    return Math.max(0, row);
  }

  /** Gives the names that lead to a row; what it does not depend on is empty. */
  subjectOf({ per, steps }: Path, row: number): Subject {
    const subject = { organisation: '', tenant: '', consumer: '', endpoint: '' };
    let at = row;
    for (let step = per.length - 1; step >= 0; step--) {
      const names = steps[step]!;
      subject[per[step]!] = names.textOf(at);
      at = names.ownerOf(at);
    }
    if (per[0] === 'tenant') subject.organisation = at === NOBODY ? subject.tenant : this.#organisations.textOf(at);
    return subject;
  }

  #findFirst(level: Level, names: OwnedNames, subject: Subject): number {
    if (level !== 'tenant') return names.find(NOBODY, nameAt(subject, level));
    if (this.#subject !== subject) {
      this.#subject = subject;
      this.#tenant = this.#findTenant(subject);
    }
    return this.#tenant;
  }

  #findTenant({ organisation, tenant }: Subject): number {
    if (organisation === tenant) return this.#tenants.find(NOBODY, tenant);
    const owner = this.#organisations.find(NOBODY, organisation);
    return owner < 0 ? -1 : this.#tenants.find(owner, tenant);
  }

  #addOwner({ organisation, tenant }: Subject): number {
    return organisation === tenant ? NOBODY : this.#add(this.#organisations, NOBODY, organisation);
  }

  #add(names: OwnedNames, owner: number, text: string): number {
    const before = names.size;
    const id = names.add(owner, text);
    if (names.size > before) this.size += 1 + (text.length >>> LONG_BITS);
    return id;
  }
}

function nameAt(subject: Subject, level: Level): string {
  if (level === 'tenant') return subject.tenant;
  if (level === 'consumer') return subject.consumer;
  return level === 'endpoint' ? subject.endpoint : subject.organisation;
}
