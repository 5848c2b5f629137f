/** What a group was before and after. Counts are whole millionths, or any other whole number. */
export interface Moved {
  readonly key: string;
  readonly before: bigint;
  readonly after: bigint;
}

export interface Part extends Moved {
  readonly change: bigint;
  /** `new` had nothing before, `gone` has nothing after; `others` are the rest, together. */
  readonly kind: 'new' | 'gone' | 'grown' | 'shrunk' | 'same' | 'others';
}

/**
 * Takes a change apart by groups.
 *
 * Takes  moved: each group once. shown: how many groups have a part of their own, those that moved most.
 * Gives  parts, those that moved most first; ties in the order of their keys. The rest is one part, the last.
 * Holds  the changes of the parts add up to the whole change, exactly; so do before and after.
 */
export function decompose(moved: readonly Moved[], shown: number): Part[] {
  const parts = moved.map((each): Part => ({ ...each, change: each.after - each.before, kind: kindOf(each) }));
  const size = ({ change }: Part) => (change < 0n ? -change : change);
  parts.sort((a, b) => (size(a) < size(b) ? 1 : size(a) > size(b) ? -1 : a.key < b.key ? -1 : 1));
  if (parts.length <= shown) return parts;
  const rest = parts.slice(shown);
  const sum = (of: (part: Part) => bigint) => rest.reduce((so, part) => so + of(part), 0n);
  const others = {
    key: `${rest.length} others`,
    before: sum(({ before }) => before),
    after: sum(({ after }) => after),
  };
  return [...parts.slice(0, shown), { ...others, change: others.after - others.before, kind: 'others' }];
}

function kindOf({ before, after }: Moved): Part['kind'] {
  if (before === 0n && after !== 0n) return 'new';
  if (after === 0n && before !== 0n) return 'gone';
  if (after === before) return 'same';
  return after > before ? 'grown' : 'shrunk';
}
