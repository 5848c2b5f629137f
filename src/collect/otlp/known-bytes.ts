import { Texts } from '../../store/index.ts';

/** What bytes were decoded into, so that the same bytes, which senders repeat all day, are decoded once. */
export class KnownBytes<Value extends object> {
  readonly #bytes = new Texts();
  /** By number of the bytes. */
  readonly #values: (Value | undefined)[] = [];

  get count(): number {
    return this.#values.length;
  }

  get sizeBytes(): number {
    return this.#bytes.sizeBytes;
  }

  clear(): void {
    this.#bytes.clear();
    this.#values.length = 0;
  }

  /** What bytes[start, end) were decoded into; undefined when `keep` was not called for them. */
  find(bytes: Buffer, start: number, end: number): Value | undefined {
    return this.#values[this.#bytes.idOf(bytes, start, end)];
  }

  keep(bytes: Buffer, start: number, end: number, value: Value): void {
    const id = this.#bytes.idOf(bytes, start, end);
    while (this.#values.length < id) this.#values.push(undefined);
    this.#values[id] = value;
  }
}
