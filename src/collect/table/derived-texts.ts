import type { Texts } from '../../store/index.ts';

/** Texts that are made from other texts, worked out once for each: a span's safe name from its raw one. */
export class DerivedTexts {
  readonly #texts: Texts;
  readonly #derive: (text: string) => string;
  /** Of each text the number of what it becomes, plus one; 0 is not known yet. */
  #known = new Uint32Array(1024);

  constructor(texts: Texts, derive: (text: string) => string) {
    this.#texts = texts;
    this.#derive = derive;
  }

  of(id: number): number {
    const known = this.#known[id];
    if (known !== undefined && known !== 0) return known - 1;
    const derived = this.#texts.idOfString(this.#derive(this.#texts.string(id)));
    if (id >= this.#known.length) {
      const grown = new Uint32Array(Math.max(this.#known.length * 2, id + 1));
      grown.set(this.#known);
      this.#known = grown;
    }
    this.#known[id] = derived + 1;
    return derived;
  }

  /** To be called whenever the texts are cleared. */
  clear(): void {
    this.#known.fill(0);
  }
}
