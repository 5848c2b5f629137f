import { ALL_SLOTS, type Slot, TEXT_SLOTS } from './attributes.ts';

const LARGEST = Number.MAX_SAFE_INTEGER;

/** Stands where an id's place would: something was sent, but no id. */
export const MALFORMED_ID = -2;

/** Values of known attributes, one place per name; used again for every span so that nothing is allocated on the hot path. */
export class AttributeSlots {
  readonly sources: Buffer[] = new Array(TEXT_SLOTS);
  readonly starts = new Int32Array(TEXT_SLOTS).fill(-1);
  readonly ends = new Int32Array(TEXT_SLOTS);
  readonly numbers = new Float64Array(ALL_SLOTS).fill(Number.NaN);

  clear(): void {
    this.starts.fill(-1);
    this.numbers.fill(Number.NaN);
  }

  isText(slot: Slot): boolean {
    return slot < TEXT_SLOTS;
  }

  has(slot: Slot): boolean {
    return this.starts[slot]! >= 0;
  }

  setBytes(slot: Slot, source: Buffer, start: number, end: number): void {
    // An empty text says nothing; it must not hide a later name for the same thing.
    if (end === start) return;
    this.sources[slot] = source;
    this.starts[slot] = start;
    this.ends[slot] = end;
  }

  setText(slot: Slot, text: string): void {
    const source = Buffer.from(text);
    this.setBytes(slot, source, 0, source.length);
  }

  /** Quantities are whole and not negative; what is not stays absent. */
  setNumber(slot: Slot, value: number): void {
    if (value >= 0 && value <= LARGEST) this.numbers[slot] = Math.round(value);
  }

  text(slot: Slot): string {
    const start = this.starts[slot]!;
    return start < 0 ? '' : this.sources[slot]!.toString('utf8', start, this.ends[slot]!);
  }
}

/** One span while it is being decoded. Ids are places in `source`; -1 is absent, MALFORMED_ID is no id. */
export class SpanDraft {
  readonly attributes = new AttributeSlots();
  source: Buffer = Buffer.alloc(0);
  traceAt = -1;
  spanAt = -1;
  parentAt = -1;
  kind = 0;
  startLow = 0;
  startHigh = 0;
  endLow = 0;
  endHigh = 0;
  nameAt = -1;
  nameEnd = 0;
  traceStateAt = -1;
  traceStateEnd = 0;
  isError = false;
  /** Places of trace id and span id of each link, in `source`. */
  readonly linkTraces: number[] = [];
  readonly linkSpans: number[] = [];

  clear(source: Buffer): void {
    this.attributes.clear();
    this.source = source;
    this.traceAt = this.spanAt = this.parentAt = this.nameAt = this.traceStateAt = -1;
    this.kind = this.startLow = this.startHigh = this.endLow = this.endHigh = 0;
    this.isError = false;
    this.linkTraces.length = 0;
    this.linkSpans.length = 0;
  }
}
