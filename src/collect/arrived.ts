import type { SegmentContent } from './segment.ts';
import { RecordReader, type SpanRecord } from './span-record.ts';
import { LINKS_FLAG } from './work-row.ts';

/**
 * The spans of one segment by trace. A row is decoded when its trace is asked for:
 * decoding all of them at once would keep a whole segment alive as objects.
 */
export class ArrivedSpans {
  readonly #segment: number;
  readonly #payloads: readonly Buffer[];
  /** For each trace the rows: payload, place in it, position in the segment, one behind the other. */
  readonly #places = new Map<string, number[]>();
  /** Spans with links; few, and needed before the traces are. */
  readonly linked: SpanRecord[] = [];

  constructor(content?: SegmentContent) {
    this.#segment = content?.id ?? 0;
    this.#payloads = content?.payloads ?? [];
    let position = 0;
    this.#payloads.forEach((payload, which) => {
      const reader = new RecordReader(payload);
      while (!reader.isDone) {
        const head = reader.u32();
        const end = reader.at + (head >= LINKS_FLAG ? head - LINKS_FLAG : head);
        this.#add(reader, which, position);
        if (head >= LINKS_FLAG)
          this.linked.push(new RecordReader(payload, end - (head - LINKS_FLAG)).sent(this.#segment, position));
        reader.at = end;
        position += 1;
      }
    });
  }

  #add(reader: RecordReader, which: number, position: number): void {
    const at = reader.at;
    const traceKey = reader.traceKey();
    const places = this.#places.get(traceKey);
    if (places) places.push(which, at, position);
    else this.#places.set(traceKey, [which, at, position]);
  }

  keys(): Iterable<string> {
    return this.#places.keys();
  }

  has(traceKey: string): boolean {
    return this.#places.has(traceKey);
  }

  /** The spans of one trace in their order of arrival. */
  get(traceKey: string): SpanRecord[] {
    const places = this.#places.get(traceKey) ?? [];
    const spans: SpanRecord[] = [];
    for (let i = 0; i < places.length; i += 3) {
      spans.push(new RecordReader(this.#payloads[places[i]!]!, places[i + 1]!).sent(this.#segment, places[i + 2]!));
    }
    return spans;
  }
}
