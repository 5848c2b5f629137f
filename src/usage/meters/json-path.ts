/** One step into a JSON value: the name of a member, or the place of an item counted from 0. */
export type PathStep = string | number;

const MOST_STEPS = 16;
const LONGEST = 1_000;
const STEP = /\.([\p{L}_$][\p{L}\p{N}_$-]*)|\[(\d{1,6})\]|\['((?:[^'\\]|\\['\\])*)'\]|\["((?:[^"\\]|\\["\\])*)"\]/uy;

/**
 * Reads a simple JSONPath: `$.a.b`, `$.items[0].price`, `$['odd name']`. No wildcards, filters or slices.
 *
 * Gives  the steps from the whole value, at least one; null when the text is no such path.
 * From   RFC 9535, singular queries.
 */
export function parseJsonPath(text: string): readonly PathStep[] | null {
  if (!text.startsWith('$') || text.length > LONGEST) return null;
  const steps: PathStep[] = [];
  for (let at = 1; at < text.length; at = STEP.lastIndex) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (!match || steps.length === MOST_STEPS) return null;
    const [, name, place, single, double] = match;
    steps.push(place === undefined ? (name ?? (single ?? double)!.replace(/\\(.)/g, '$1')) : Number(place));
  }
  return steps.length > 0 ? steps : null;
}
