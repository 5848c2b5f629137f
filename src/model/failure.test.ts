import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assert, BrokenClaim } from './assert.ts';
import { compareUtf8, drivers, measuredDrivers } from './call.ts';
import { fail, failures } from './failure.ts';

describe('a failure', () => {
  it('says what is wrong with its facts, and what to do', () => {
    const problems = [{ message: 'pools: required', line: 3 }];
    const failure = fail('DOCUMENT_INVALID', { file: 'model.yaml', tries: 2 }, problems, new Error('cause'));
    expect(failure).toMatchObject({ code: 'DOCUMENT_INVALID', status: 422, problems, cause: new Error('cause') });
    expect(failure.message).toBe('the document has errors; file model.yaml; tries 2');
    expect(failure.todo).toBe('Mend the lines named and apply it again.');
  });

  it.each(Object.entries(failures))(
    '%s has a status that clients understand, and words',
    (code, [status, what, todo]) => {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(status >= 400 && status < 600).toBe(true);
      expect([what, todo].every((words) => words.length > 10)).toBe(true);
    },
  );
});

it('a false claim is a bug and says so', () => {
  expect(() => assert(false, 'sums to zero')).toThrow(new BrokenClaim('sums to zero'));
  expect(assert(true, 'sums to zero')).toBeUndefined();
});

it('drivers that need measuring are those after the spans’ own', () => {
  expect(measuredDrivers[0]).toBe('cpu_us');
  expect(measuredDrivers.every((driver) => drivers.includes(driver))).toBe(true);
  expect(measuredDrivers).not.toContain('ext_us');
});

it('texts are ordered by their UTF-8 bytes, which is not the order of UTF-16', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(compareUtf8(a, b)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
  expect(compareUtf8('\u{10000}', '\uffff')).toBe(1);
});
