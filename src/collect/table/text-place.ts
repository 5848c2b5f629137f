/** Finds a text of RowBinary: gives where it starts and ends. What follows it begins at its end. Fails  RangeError. */
export function textPlace(bytes: Buffer, from: number): readonly [start: number, end: number] {
  let [at, length, scale] = [from, 0, 1];
  for (; bytes.readUInt8(at) >= 0x80; at++, scale *= 128) length += (bytes[at]! & 0x7f) * scale;
  length += bytes[at++]! * scale;
  return [at, at + length];
}
