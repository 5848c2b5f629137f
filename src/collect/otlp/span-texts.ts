import type { Texts } from '../../store/index.ts';
import type { Naming } from '../naming/naming.ts';
import { safeConsumer, safeLabel, safeName, safePeer, safeVersion } from '../privacy.ts';
import { DerivedTexts } from '../table/derived-texts.ts';
import type { Slot } from './attributes.ts';
import type { AttributeSlots } from './span-draft.ts';

export const LONGEST_TEXT = 256;

/** The texts of spans as they are stored, each worked out once: a span's safe name from its raw one. */
export class SpanTexts {
  readonly names: DerivedTexts;
  readonly peers: DerivedTexts;
  readonly labels: DerivedTexts;
  readonly versions: DerivedTexts;
  readonly consumers: DerivedTexts;
  readonly tenants: DerivedTexts;
  /** With what is not UTF-8 replaced: every stored text is readable. */
  readonly #readable: DerivedTexts;
  readonly #texts: Texts;

  constructor(texts: Texts, naming: Naming) {
    this.#texts = texts;
    this.names = new DerivedTexts(texts, safeName);
    this.peers = new DerivedTexts(texts, safePeer);
    this.labels = new DerivedTexts(texts, safeLabel);
    this.versions = new DerivedTexts(texts, safeVersion);
    this.consumers = new DerivedTexts(texts, safeConsumer);
    this.tenants = new DerivedTexts(texts, (tenant) => safeConsumer(naming.tenants.renamed(tenant)));
    this.#readable = new DerivedTexts(texts, (text) => text);
  }

  /** To be called whenever the texts are cleared. */
  clear(): void {
    this.names.clear();
    this.peers.clear();
    this.labels.clear();
    this.versions.clear();
    this.consumers.clear();
    this.tenants.clear();
    this.#readable.clear();
  }

  /** The number of an attribute's bytes as they were sent. */
  raw(attributes: AttributeSlots, slot: Slot): number {
    return this.#texts.idOf(attributes.sources[slot]!, attributes.starts[slot]!, attributes.ends[slot]!);
  }

  /** The text of an attribute, cut at a character; 0 where there is none. */
  of(attributes: AttributeSlots, slot: Slot): number {
    if (slot < 0 || !attributes.has(slot)) return 0;
    if (attributes.ends[slot]! - attributes.starts[slot]! <= LONGEST_TEXT)
      return this.#readable.of(this.raw(attributes, slot));
    return this.#texts.idOfString(
      [...attributes.text(slot).slice(0, 2 * LONGEST_TEXT)].slice(0, LONGEST_TEXT).join(''),
    );
  }
}
