import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Failure } from '../model/index.ts';
import { parseDocuments } from './document-file.ts';

const head = 'apiVersion: taximeter/v1\nkind: Boundary\nmetadata: { name: shop }\n';

function problemsOf(text: string): (readonly [line: number | undefined, path: string | undefined])[] {
  try {
    parseDocuments(text);
  } catch (cause) {
    if (cause instanceof Failure && cause.code === 'DOCUMENT_INVALID') {
      return cause.problems.map(({ line, path }) => [line, path] as const);
    }
    throw cause;
  }
  return [];
}

describe('a file of documents', () => {
  it('gives each document with its kind, name, time and reason', () => {
    const text = `${head}spec: { services: [front] }
---
apiVersion: taximeter/v1
kind: CostModel
metadata: { name: shop, effectiveFrom: 2022-08-01, reason: first }
spec: {}
---
{"apiVersion": "taximeter/v1", "kind": "Plan", "metadata": {"name": "p", "effectiveFrom": "2022-08-01T02:00:00+02:00"}, "spec": {}}
`;
    expect(parseDocuments(text)).toMatchObject([
      { kind: 'Boundary', name: 'shop', effectiveFromMs: 0, reason: '', spec: { services: ['front'] } },
      { kind: 'CostModel', name: 'shop', effectiveFromMs: Date.UTC(2022, 7, 1), reason: 'first', spec: {} },
      { kind: 'Plan', name: 'p', effectiveFromMs: Date.UTC(2022, 7, 1) },
    ]);
  });

  it('names every error of every document, each with its line', () => {
    const text = `apiVersion: taximeter/v2
kind: Boundary
metadata:
  name: "no spaces here"
  colour: red
spec: []
---
apiVersion: taximeter/v1
kind: CostModel
metadata: { name: ok }
---
apiVersion: taximeter/v1
kind: CostModel
metadata:
  name: shop
  effectiveFrom: soon
spec: {}
`;
    expect(problemsOf(text)).toEqual([
      [1, 'apiVersion'],
      [4, 'metadata.name'],
      [5, 'metadata.colour'],
      [6, 'spec'],
      [8, 'spec'],
      [16, 'metadata.effectiveFrom'],
    ]);
  });

  it.each<readonly [string, string, number]>([
    ['nothing', '', 1],
    ['a comment only', '# nothing\n', 1],
    ['broken YAML', `${head}spec: { services: [front\n`, 5],
    ['a key twice', `${head}spec: {}\nkind: Plan\n`, 5],
    ['a list', '- a\n- b\n', 1],
    ['a text', 'hello\n', 1],
  ])('%s is an error of line %#', (_, text, line) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]![0]).toBe(line);
  });

  it('a spec is checked with lines of the file', () => {
    const [document] = parseDocuments(`${head}spec:\n  services:\n    - front\n    - 5\n  more: 1\n`);
    const schema = z.strictObject({ services: z.array(z.string()) });
    expect(document!.check(schema)).toEqual({
      problems: [
        expect.objectContaining({ line: 7, path: 'spec.services.1' }),
        expect.objectContaining({ line: 8, path: 'spec.more' }),
      ],
    });
    expect(document!.check(z.looseObject({}))).toMatchObject({ value: { more: 1 } });
  });

  it('that unfolds without end is refused, whatever its size', () => {
    const bomb = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`);
    const text = `${head}spec:\n  a0: &a0 [x]\n${bomb.map((line) => `  ${line}\n`).join('')}`;
    expect(() => parseDocuments(text)).toThrow(expect.objectContaining({ code: 'DOCUMENT_INVALID' }));
  });

  const list = (count: number, item: string) => `${head}spec: { x: [${Array(count).fill(item).join(',\n  ')}] }`;
  it.each<readonly [string, string, number]>([
    ['75,000 keys', Array.from({ length: 75_000 }, (_, i) => `k${i}: 1`).join('\n'), 7_143],
    ['many aliases', `a: &a x\n${Array(60).fill('b: *a\n').join('')}`, 52],
    ['aliases in a list', list(60, '*a'), 54],
    ['too many levels in brackets', `a: 1\nb: ${'['.repeat(400_000)}`.slice(0, 90_000), 2],
    ['too many levels of dashes', `a: 1\nb:\n  ${'- '.repeat(40_000)}`, 3],
    ['too many levels by indenting', Array.from({ length: 99 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), 32],
    ['too many levels of questions', `${'? '.repeat(40_000)}`, 1],
    ['too many documents', '---\n'.repeat(90_000), 25_000],
  ])('%s are refused with the line, and do not block', (_name, text, line) => {
    expect(problemsOf(text)).toEqual([[line, undefined]]);
  });

  it('with very many problems names the first hundred', () => {
    const problems = problemsOf(`${head}more: 1\n${Array.from({ length: 6_000 }, (_, i) => `k${i}: 1\n`).join('')}`);
    expect(problems.length).toBeLessThanOrEqual(100);
    expect(problemsOf(`spec: {}\n${'spec: {}\n'.repeat(4_500)}`)).toHaveLength(100);
  });

  it('may hold text that looks like an alias', () => {
    const text = `${head}spec:\n${Array.from({ length: 60 }, (_, i) => `  k${i}: |\n    *a\n  q${i}: '*a'\n`).join('')}`;
    expect(Object.keys(parseDocuments(text)[0]!.spec)).toHaveLength(120);
  });

  it('that is too large is refused', () => {
    expect(() => parseDocuments(`# ${'x'.repeat(1 << 20)}`)).toThrow(
      expect.objectContaining({ code: 'BODY_TOO_LARGE' }),
    );
  });
});
