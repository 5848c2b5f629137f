/** Parts of protobuf messages, put together once: what changes from span to span is patched in afterwards. */

/** A number takes this many bytes whatever its size, so that it can be patched in place: 49 bits. */
export const PADDED_NUMBER = 7;
export const LARGEST_NUMBER = 2 ** 49 - 1;
/** The length of a message that is known later: 35 bits. */
export const PADDED_LENGTH = 5;

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

export function tag(field: number, wireType: number): number[] {
  return varint(field * 8 + wireType);
}

export function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

export function message(field: number, content: readonly number[]): number[] {
  return [...tag(field, LENGTH_DELIMITED), ...varint(content.length), ...content];
}

export function text(field: number, value: string): number[] {
  return message(field, [...Buffer.from(value)]);
}

export function number(field: number, value: number): number[] {
  return [...tag(field, VARINT), ...varint(value)];
}

/** A field of eight bytes, zero until it is patched. */
export function fixed64(field: number): number[] {
  return [...tag(field, FIXED64), 0, 0, 0, 0, 0, 0, 0, 0];
}

/**
 * Writes a whole number as a varint of a fixed width.
 *
 * Takes  value: whole, from 0 to LARGEST_NUMBER; width: at most PADDED_NUMBER bytes.
 * From   protobuf encoding: bytes of a varint that carry only zeros are allowed.
 */
export function patchNumber(target: Uint8Array, at: number, value: number, width: number): void {
  let rest = value;
  // Nearly all are small: whole numbers of 28 bits need no division.
  if (value < 0x1000_0000 && width >= PADDED_LENGTH) {
    for (let byte = 0; byte < 4; byte++) target[at + byte] = ((value >>> (7 * byte)) & 127) | 128;
    for (let byte = 4; byte < width - 1; byte++) target[at + byte] = 128;
    target[at + width - 1] = 0;
    return;
  }
  for (let byte = 0; byte < width - 1; byte++) {
    target[at + byte] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  target[at + width - 1] = rest % 128;
}

/**
 * Writes times as nanoseconds since 1970.
 *
 * From  such a time does not fit a double, so that its halves are worked out apart; those of a second once, as most times lie in the same one.
 */
export class Times {
  #second = -1;
  #high = 0;
  #low = 0;

  /** Takes  ms: since 1970, with its fraction. */
  patch(target: DataView, at: number, ms: number): void {
    const second = Math.floor(ms / 1000);
    if (second !== this.#second) this.#follow(second);
    const low = this.#low + Math.min(999_999_999, Math.trunc((ms - second * 1000) * 1e6 + 0.5));
    const carried = low >= 4_294_967_296 ? 1 : 0;
    target.setUint32(at, carried === 1 ? low - 4_294_967_296 : low, true);
    target.setUint32(at + 4, this.#high + carried, true);
  }

  /** 10^9 is 15,258 x 2^16 + 51,712: every product below stays exact. */
  #follow(second: number): void {
    const upper = second * 15_258;
    const lower = (upper % 65_536) * 65_536 + second * 51_712;
    this.#second = second;
    this.#low = lower % 4_294_967_296;
    this.#high = Math.floor(upper / 65_536) + Math.floor(lower / 4_294_967_296);
  }
}
