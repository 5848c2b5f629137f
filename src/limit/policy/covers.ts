import { fits } from './match.ts';
import type { MatchSpec } from './policy.ts';

const parts = ['organisations', 'tenants', 'consumers', 'endpoints'] as const;

/** Says whether a match takes everything that another takes. No for certain only where it says so: a list may cover what none of its globs does. */
export function covers(wide: MatchSpec, narrow: MatchSpec): boolean {
  return parts.every((part) => {
    const [globs, others] = [wide[part], narrow[part]];
    if (globs === undefined) return true;
    // A star in the narrow glob is text for the wide one: only its own star can take it.
    return others?.every((other) => globs.some((glob) => fits(glob.split('*'), other))) ?? false;
  });
}

/** Says whether some name could be taken by both. Yes where it is not clear. */
export function mayMeet(one: MatchSpec, other: MatchSpec): boolean {
  return parts.every((part) => {
    const [left, right] = [one[part], other[part]];
    if (left === undefined || right === undefined) return true;
    return left.some((a) => right.some((b) => globsMeet(a, b)));
  });
}

/** Two globs cannot meet where what stands before the first star, or behind the last, differs. */
function globsMeet(a: string, b: string): boolean {
  if (!a.includes('*')) return fits(b.split('*'), a) && (b.includes('*') || a === b);
  if (!b.includes('*')) return fits(a.split('*'), b);
  const [headA, headB] = [a.slice(0, a.indexOf('*')), b.slice(0, b.indexOf('*'))];
  const [tailA, tailB] = [a.slice(a.lastIndexOf('*') + 1), b.slice(b.lastIndexOf('*') + 1)];
  const isHead = headA.startsWith(headB) || headB.startsWith(headA);
  return isHead && (tailA.endsWith(tailB) || tailB.endsWith(tailA));
}
