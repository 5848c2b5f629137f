import { hashSeed } from '../../store/index.ts';

const FIRST_PLACES = 1024;

/** Rows put together by the values that they have in common. */
export interface Groups {
  /** Of each row the number of its group. */
  readonly of: Uint32Array;
  /** Of each group the first of its rows. */
  readonly first: Uint32Array;
}

/**
 * Groups rows by columns.
 *
 * Takes  columns: numbers, one for each row.
 * Holds  two rows are in one group exactly when they are equal in every column; groups stand in the order of their first rows.
 */
export function groupRows(columns: readonly Uint32Array[], rows: number): Groups {
  const hashes = hashesOf(columns, rows);
  const of = new Uint32Array(rows);
  const first = new Uint32Array(rows);
  let places = new Uint32Array(FIRST_PLACES);
  let groups = 0;
  for (let row = 0; row < rows; row++) {
    const mask = places.length - 1;
    let place = hashes[row]! & mask;
    let found = places[place]!;
    while (found !== 0 && !isSame(columns, hashes, row, first[found - 1]!)) {
      place = (place + 1) & mask;
      found = places[place]!;
    }
    if (found === 0) {
      first[groups] = row;
      found = places[place] = ++groups;
      if (groups * 2 > places.length) places = grown(hashes, first, groups);
    }
    of[row] = found - 1;
  }
  return { of, first: first.subarray(0, groups) };
}

/** Column by column, so that each pass goes through memory in its order. */
function hashesOf(columns: readonly Uint32Array[], rows: number): Int32Array {
  const hashes = new Int32Array(rows).fill(hashSeed);
  for (const column of columns) {
    for (let row = 0; row < rows; row++) {
      const mixed = Math.imul(hashes[row]! ^ column[row]!, 0x85ebca6b);
      hashes[row] = Math.imul(mixed ^ (mixed >>> 15), 0x9e3779b1);
    }
  }
  for (let row = 0; row < rows; row++) hashes[row]! ^= hashes[row]! >>> 16;
  return hashes;
}

function isSame(columns: readonly Uint32Array[], hashes: Int32Array, row: number, other: number): boolean {
  if (hashes[row] !== hashes[other]) return false;
  for (let at = 0; at < columns.length; at++) if (columns[at]![row] !== columns[at]![other]) return false;
  return true;
}

function grown(hashes: Int32Array, first: Uint32Array, groups: number): Uint32Array<ArrayBuffer> {
  const places = new Uint32Array(2 ** Math.ceil(Math.log2(groups * 8)));
  const mask = places.length - 1;
  for (let group = 0; group < groups; group++) {
    let place = hashes[first[group]!]! & mask;
    while (places[place] !== 0) place = (place + 1) & mask;
    places[place] = group + 1;
  }
  return places;
}
