import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Level, levels, subjectOf } from '../subject.ts';
import { SubjectRows } from './subject-rows.ts';

const name = fc.constantFrom('', 'a', 'b', 'ab', 'ä', '\u{1f600}', 'x'.repeat(300), 'GET /v1/things/{id}');
const subject = fc
  .record({ organisation: name, tenant: name, consumer: name, endpoint: name })
  .map((parts) => subjectOf(parts));
const per = fc.subarray([...levels]);

it('gives everybody that a policy tells apart a row of its own, the same each time, and knows whose it is', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(per, subject, fc.boolean()), { maxLength: 120 }), (steps) => {
      const rows = new SubjectRows();
      const known = new Map<string, number>();
      for (const [told, who, isAdded] of steps) {
        const path = rows.pathOf(told);
        // A tenant is one of its organisation, also where a policy does not name that.
        const levelsOf: Level[] = told[0] === 'tenant' ? ['organisation', ...told] : told;
        const key = JSON.stringify([told, levelsOf.map((level) => who[level])]);
        if (isAdded) known.set(key, rows.add(path, who));
        const row = rows.find(path, who);
        if (!known.has(key)) continue;
        expect(row).toBe(known.get(key));
        const back = rows.subjectOf(path, row);
        for (const level of levelsOf) expect(back[level]).toBe(who[level]);
      }
      const paths = steps.map(([told]) => rows.pathOf(told));
      for (const [, who] of steps) {
        const together: number[] = [];
        rows.findAll(paths, who, together);
        expect(together).toEqual(paths.map((path) => rows.find(path, who)));
      }
      const rowsOf = new Map<string, Set<number>>();
      for (const [key, row] of known) {
        const told = JSON.stringify((JSON.parse(key) as [Level[]])[0]);
        const others = rowsOf.get(told) ?? new Set();
        if (told !== '[]') expect(others.has(row)).toBe(false);
        rowsOf.set(told, others.add(row));
      }
    }),
  );
});

it('finds many names again while it grows, and knows them by heart', () => {
  const rows = new SubjectRows();
  const path = rows.pathOf(['tenant', 'consumer']);
  const who = (i: number) => subjectOf({ tenant: `t${i % 7}`, consumer: `c${i}` });
  for (let i = 0; i < 20_000; i++) expect(rows.add(path, who(i))).toBe(i);
  for (let i = 0; i < 20_000; i++) expect(rows.find(path, who(i))).toBe(i);
  for (let i = 0; i < 20_000; i += 77) expect(rows.subjectOf(path, i)).toMatchObject(who(i));
  expect(rows.find(path, who(20_000))).toBe(-1);
  expect(rows.size).toBe(20_007);
});
