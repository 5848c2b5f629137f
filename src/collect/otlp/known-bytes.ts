import { Texts } from '../../store/index.ts';

/** What bytes were decoded into, so that the same bytes, which senders repeat all day, are decoded once. Full, it learns no more. */
export class KnownBytes<Value extends object> {
  readonly #most: number;
  readonly #mostBytes: number;
  readonly #bytes = new Texts();
  /** By number of the bytes. */
  readonly #values: (Value | undefined)[] = [];

  constructor(most: number, mostBytes: number) {
    this.#most = most;
    this.#mostBytes = mostBytes;
  }

  get isFull(): boolean {
    return this.#bytes.count > this.#most || this.#bytes.sizeBytes > this.#mostBytes;
  }

  clear(): void {
    this.#bytes.clear();
    this.#values.length = 0;
  }

  /** Gives what bytes[start, end) are known as, else what `decode` makes of them; when that throws, nothing is kept. */
  of(bytes: Buffer, start: number, end: number, decode: () => Value): Value {
    if (this.isFull) return decode();
    const id = this.#bytes.idOf(bytes, start, end);
    const known = this.#values[id];
    if (known !== undefined) return known;
    const value = decode();
    while (this.#values.length < id) this.#values.push(undefined);
    this.#values[id] = value;
    return value;
  }
}
