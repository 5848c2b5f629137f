import { type Document, isMap, isScalar, LineCounter, type Node, parseAllDocuments, visit } from 'yaml';
import { z } from 'zod';
import { fail, type Problem, parseInstant } from '../model/index.ts';
import { checkDocumentSize } from './document-size.ts';

const MOST_ALIASES = 50;
const MOST_PROBLEMS = 100;
const LONGEST_MESSAGE = 300;

const envelope = z.strictObject({
  apiVersion: z.literal('taximeter/v1'),
  kind: z.string().min(1).max(60),
  metadata: z.strictObject({
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be a short name of letters, digits, dot, dash'),
    effectiveFrom: z.union([z.string(), z.date()]).optional(),
    reason: z.string().max(1000).optional(),
  }),
  spec: z.record(z.string(), z.unknown()),
});

/** One document of a file, its envelope checked and its spec not yet. */
export interface ParsedDocument {
  readonly kind: string;
  /** Of the file, where the document says its kind. */
  readonly line: number;
  readonly name: string;
  /** Milliseconds since 1970; from when on it is in force. 0 when it was not said: always. */
  readonly effectiveFromMs: number;
  readonly reason: string;
  readonly spec: Record<string, unknown>;
  /** Checks the spec; problems carry the line of the file that they are about. */
  check<T>(schema: z.ZodType<T>): { readonly value: T } | { readonly problems: Problem[] };
}

/**
 * Reads a YAML (or JSON) file of one or more documents.
 *
 * Gives  the documents in file order.
 * Fails  DOCUMENT_INVALID with the first 100 problems of the envelopes, each with its line; BODY_TOO_LARGE.
 */
export function parseDocuments(text: string): ParsedDocument[] {
  checkDocumentSize(text);
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const parsed: ParsedDocument[] = [];
  // Its own check of keys compares each with each.
  const yamlDocuments = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: false, version: '1.2' });
  if (!Array.isArray(yamlDocuments)) throw fail('DOCUMENT_INVALID', {}, [{ message: 'the file is empty', line: 1 }]);
  for (const document of yamlDocuments) {
    const lineAt = (path: readonly PropertyKey[]) => lineOf(document.contents, path, lines);
    for (const error of document.errors) {
      problems.push({ message: error.message.split('\n')[0] ?? '', line: lines.linePos(error.pos[0]).line });
    }
    const repeated = repeatedKeys(document);
    for (const { key, offset } of repeated)
      problems.push({ message: `${key}: this key stands here twice`, line: lines.linePos(offset).line });
    if (document.errors.length + repeated.length > 0 || document.contents === null) continue;
    const plain = unfolded(document);
    if (plain === null) {
      problems.push({ message: 'the document repeats itself too often (aliases)', line: lineAt([]) });
      continue;
    }
    const checked = envelope.safeParse(plain.value);
    if (!checked.success) {
      problems.push(...problemsOf(checked.error, [], lineAt));
      continue;
    }
    const { kind, metadata, spec } = checked.data;
    const effectiveFromMs = effectiveFrom(metadata.effectiveFrom, problems, lineAt(['metadata', 'effectiveFrom']));
    parsed.push({
      kind,
      line: lineAt(['kind']),
      name: metadata.name,
      effectiveFromMs,
      reason: metadata.reason ?? '',
      spec,
      check: (schema) => {
        const result = schema.safeParse(spec);
        return result.success ? { value: result.data } : { problems: problemsOf(result.error, ['spec'], lineAt) };
      },
    });
  }
  if (problems.length > 0)
    throw fail('DOCUMENT_INVALID', { problems: problems.length }, problems.slice(0, MOST_PROBLEMS));
  if (parsed.length === 0) throw fail('DOCUMENT_INVALID', {}, [{ message: 'the file holds no document', line: 1 }]);
  return parsed;
}

function repeatedKeys(document: Document.Parsed): { readonly key: string; readonly offset: number }[] {
  const repeated: { key: string; offset: number }[] = [];
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : '';
        if (isScalar(key) && seen.has(name)) repeated.push({ key: name.slice(0, 60), offset: key.range?.[0] ?? 0 });
        seen.add(name);
      }
    },
  });
  return repeated;
}

/** Null when aliases of aliases would fill the memory. */
function unfolded(document: Document.Parsed): { readonly value: unknown } | null {
  try {
    return { value: document.toJS({ maxAliasCount: MOST_ALIASES }) };
  } catch (cause) {
    if (cause instanceof ReferenceError) return null;
    throw cause;
  }
}

function effectiveFrom(value: string | Date | undefined, problems: Problem[], line: number): number {
  if (value === undefined) return 0;
  try {
    return value instanceof Date ? value.getTime() : parseInstant(value);
  } catch {
    problems.push({ message: 'effectiveFrom is not a time', line, path: 'metadata.effectiveFrom' });
    return 0;
  }
}

function problemsOf(
  error: z.ZodError,
  prefix: readonly PropertyKey[],
  lineAt: (path: readonly PropertyKey[]) => number,
): Problem[] {
  return error.issues
    .flatMap(nearest)
    .slice(0, MOST_PROBLEMS)
    .map((issue) => {
      const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
      const path = [...prefix, ...issue.path, ...unknownKey];
      return {
        message: `${path.map(String).join('.')}: ${issue.message}`.slice(0, LONGEST_MESSAGE),
        line: lineAt(path),
        path: path.map(String).join('.'),
      };
    });
}

/**
 * Of a field that may have several forms, what is wrong with the one that was meant: the first that only parts of the field fail.
 * Without such a one, none of the forms was meant.
 */
function nearest(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find((form) => form.every(({ path, code }) => path.length > 0 || code === 'custom'));
  const inner = meant ?? issue.errors.find((form) => form.some(({ code }) => code === 'unrecognized_keys')) ?? [];
  if (inner.length === 0) return [{ ...issue, message: 'has none of the forms that it may have' }];
  return inner.flatMap((part) => nearest({ ...part, path: [...issue.path, ...part.path] }));
}

/** The line of a place in the file, or of the nearest thing around it that is there. */
function lineOf(contents: unknown, path: readonly PropertyKey[], lines: LineCounter): number {
  let node = contents as Node | null;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    const pair = isMap(node) ? node.items.find((item) => String(item.key) === String(step)) : undefined;
    const next = pair
      ? (pair.value as Node | null)
      : ((node as { get?: (key: unknown, keep: boolean) => unknown } | null)?.get?.(step, true) as Node | undefined);
    const start = (pair?.key as Node | undefined)?.range?.[0] ?? next?.range?.[0];
    if (start === undefined) break;
    offset = start;
    node = next ?? null;
  }
  return lines.linePos(offset).line;
}
