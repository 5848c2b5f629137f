/** A stretch of time in whole nanoseconds, relative to some start; both fit a double exactly. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/**
 * Measures how long a span was busy itself: its time without the time its direct children cover.
 *
 * Takes  durationNs: the span's own length. children: intervals relative to the span's start, any order, overlapping or outside.
 * Gives  nanoseconds, 0 to durationNs.
 * Holds  a child outside the span, or one that ends before it starts, changes nothing; order of children does not matter.
 */
export function busyNanos(durationNs: number, children: Interval[]): number {
  if (durationNs <= 0) return 0;
  if (children.length > 1) children.sort((a, b) => a.start - b.start);
  let covered = 0;
  let reached = 0;
  for (const child of children) {
    const start = Math.max(child.start, reached);
    const end = Math.min(child.end, durationNs);
    if (end <= start) continue;
    covered += end - start;
    reached = end;
  }
  return durationNs - covered;
}
