import { countDirt, type DirtCounts } from './dirt.ts';

/** Texts by name, sorted by name, each name once. */
export type TextMap = readonly (readonly [name: string, value: string])[];

/**
 * Reads the Tags column.
 *
 * Takes  text: a JSON object, or a list of { key, value } as BigQuery writes it; empty for none. dirt: counts what was put right.
 * Gives  keys without spaces around them, sorted, each once: a key written without spaces wins over one written with them;
 *        values that are no text as JSON text. null when the text is no such JSON.
 */
export function tagsFromJson(text: string, dirt: DirtCounts): TextMap | null {
  if (text === '') return [];
  const pairs = pairsOf(text);
  if (pairs === null) return null;
  const tags = new Map<string, string>();
  for (const [written, value] of pairs) {
    const key = written.trim();
    if (key !== written) countDirt(dirt, 'tagKeySpace');
    if (key === '' || (key !== written && tags.has(key))) continue;
    tags.set(key, typeof value === 'string' ? value : JSON.stringify(value ?? null));
  }
  return [...tags].sort(([a], [b]) => (a < b ? -1 : 1));
}

function pairsOf(text: string): [string, unknown][] | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (json === null) return [];
  if (Array.isArray(json)) return json.every(isPair) ? json.map((pair) => [pair.key, pair.value]) : null;
  return typeof json === 'object' ? Object.entries(json) : null;
}

function isPair(item: unknown): item is { key: string; value: unknown } {
  return typeof (item as { key?: unknown } | null)?.key === 'string';
}
