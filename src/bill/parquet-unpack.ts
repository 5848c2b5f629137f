import { compressors } from 'hyparquet-compressors';

/** How pages are unpacked. A page of only nulls unpacks to nothing, which the library's LZ4 takes for damage. */
export const unpackers = Object.fromEntries(
  Object.entries(compressors).map(([codec, unpack]) => [
    codec,
    (packed: Uint8Array, sizeBytes: number) => (sizeBytes === 0 ? new Uint8Array(0) : unpack(packed, sizeBytes)),
  ]),
);
