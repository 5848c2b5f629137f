import { ALL_SLOTS, FIRST_QUANTITY, type Slot, TEXT_SLOTS } from './attributes.ts';

const LARGEST = Number.MAX_SAFE_INTEGER;

/** Values of known attributes, one place per name; used again for every span so that nothing is allocated on the hot path. */
export class AttributeSlots {
  readonly sources: Uint8Array[] = new Array(TEXT_SLOTS);
  readonly starts = new Int32Array(TEXT_SLOTS);
  readonly ends = new Int32Array(TEXT_SLOTS);
  readonly #numbers = new Float64Array(ALL_SLOTS);
  /** In which round a place was filled: forgetting all values is counting one up. */
  readonly #rounds = new Uint32Array(ALL_SLOTS);
  #round = 1;
  /** Whether any quantity but a status is there: most spans have none. */
  hasQuantities = false;

  clear(): void {
    this.hasQuantities = false;
    this.#round += 1;
    if (this.#round < 0xffff_ffff) return;
    this.#rounds.fill(0);
    this.#round = 1;
  }

  has(slot: Slot): boolean {
    return this.#rounds[slot] === this.#round;
  }

  setBytes(slot: Slot, source: Uint8Array, start: number, end: number): void {
    // An empty text says nothing; it must not hide a later name for the same thing.
    if (end === start) return;
    this.sources[slot] = source;
    this.starts[slot] = start;
    this.ends[slot] = end;
    this.#rounds[slot] = this.#round;
  }

  setText(slot: Slot, text: string): void {
    const source = Buffer.from(text);
    this.setBytes(slot, source, 0, source.length);
  }

  /** Quantities are whole and not negative; what is not stays absent. */
  setNumber(slot: Slot, value: number): void {
    if (!(value >= 0 && value <= LARGEST)) return;
    if (slot >= FIRST_QUANTITY) this.hasQuantities = true;
    this.#numbers[slot] = Math.round(value);
    this.#rounds[slot] = this.#round;
  }

  /** A quantity, or -1 when it is absent. */
  number(slot: Slot): number {
    return this.#rounds[slot] === this.#round ? this.#numbers[slot]! : -1;
  }

  /** The text at a place, or so many of its bytes, for what would be cut anyway. */
  text(slot: Slot, mostBytes: number = LARGEST): string {
    if (!this.has(slot)) return '';
    const source = this.sources[slot]!;
    return Buffer.from(source.buffer, source.byteOffset, source.byteLength).toString(
      'utf8',
      this.starts[slot],
      Math.min(this.ends[slot]!, this.starts[slot]! + mostBytes),
    );
  }
}

/** What may stand where an id belongs. */
export const IdState = { none: 0, given: 1, malformed: 2 } as const;

/**
 * One span while it is being decoded: what does not go into the row at once.
 * Ids and times are written into the row's place in the table by whoever decodes.
 */
export class SpanDraft {
  readonly attributes = new AttributeSlots();
  source: Uint8Array = Buffer.alloc(0);
  hasTrace = false;
  hasSpan = false;
  parent: number = IdState.none;
  kind = 0;
  nameAt = 0;
  nameEnd = 0;
  traceStateAt = 0;
  traceStateEnd = 0;
  isError = false;
  /** Trace and span id of each link, six words. */
  readonly links: number[] = [];

  clear(source: Uint8Array): void {
    this.attributes.clear();
    this.source = source;
    this.hasTrace = this.hasSpan = this.isError = false;
    this.parent = IdState.none;
    this.kind = this.nameAt = this.nameEnd = this.traceStateAt = this.traceStateEnd = 0;
    if (this.links.length > 0) this.links.length = 0;
  }
}
