import type { Subject } from '../subject.ts';
import type { MatchSpec } from './policy.ts';

type Test = (text: string) => boolean;

/**
 * Makes the test of a policy's `match`: all parts must fit, any glob of a part; `*` stands for anything.
 * Names are compared by walking, not by regular expressions: a document must not be able to make a decision slow.
 */
export function matcher(match: MatchSpec): (subject: Subject) => boolean {
  const [organisation, tenant, consumer, endpoint] = [
    anyOf(match.organisations),
    anyOf(match.tenants),
    anyOf(match.consumers),
    anyOf(match.endpoints),
  ];
  return (subject) =>
    (organisation === null || organisation(subject.organisation)) &&
    (tenant === null || tenant(subject.tenant)) &&
    (consumer === null || consumer(subject.consumer)) &&
    (endpoint === null || endpoint(subject.endpoint));
}

function anyOf(globs: readonly string[] | undefined): Test | null {
  if (globs === undefined) return null;
  const exact = new Set(globs.filter((glob) => !glob.includes('*')));
  const patterns = globs.filter((glob) => glob.includes('*')).map((glob) => glob.split('*'));
  return (text) => exact.has(text) || patterns.some((pieces) => fits(pieces, text));
}

/** Says whether a text is these pieces in order with anything between them. */
export function fits(pieces: readonly string[], text: string): boolean {
  const first = pieces[0]!;
  const last = pieces.at(-1)!;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= text.length - last.length;
}

/** Gives the weight of an endpoint: of its own name before globs, of globs the longest; 1 when none fits. */
export function weightOf(weights: Readonly<Record<string, number>>): (endpoint: string) => number {
  if (Object.keys(weights).length === 0) return () => 1;
  const globs = Object.keys(weights).filter((glob) => glob.includes('*'));
  const tests = globs.sort((a, b) => b.length - a.length).map((glob) => [anyOf([glob])!, weights[glob]!] as const);
  return (endpoint) => {
    if (Object.hasOwn(weights, endpoint)) return weights[endpoint]!;
    return tests.find(([test]) => test(endpoint))?.[1] ?? 1;
  };
}
