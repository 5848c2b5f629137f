import type { WorkTotal } from './allocate-slice.ts';

const INT128_BYTES = 16;

/**
 * Reads the answer of `driverTotals`.
 *
 * Takes  bytes: RowBinary rows of three texts and `columns` Int128. A row per tenant, endpoint and service can be a million,
 *        too many to pass through JSON.
 */
export function readTotals(bytes: Buffer, columns: number): WorkTotal[] {
  const rows: WorkTotal[] = [];
  let at = 0;
  const text = () => {
    let [length, scale] = [0, 1];
    for (; bytes[at]! >= 0x80; at++, scale *= 128) length += (bytes[at]! & 0x7f) * scale;
    length += bytes[at++]! * scale;
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  const int128 = () => {
    at += INT128_BYTES;
    return (bytes.readBigInt64LE(at - 8) << 64n) | bytes.readBigUInt64LE(at - INT128_BYTES);
  };
  while (at < bytes.length) {
    const [tenant, endpoint, service] = [text(), text(), text()];
    rows.push({ tenant, endpoint, service, totals: Array.from({ length: columns }, int128) });
  }
  return rows;
}
