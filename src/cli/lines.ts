/** A line of so many bytes is longer than the longest that is read, whatever its characters. */
export const LONGEST_LINE_BYTES = 262_148;

/** Counts lines; a last one without its end is one too. */
export function lineCount(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines += 1;
  return bytes.length > 0 && bytes[bytes.length - 1] !== 10 ? lines + 1 : lines;
}
