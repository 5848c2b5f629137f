import fc from 'fast-check';
import { expect, test } from 'vitest';
import { searchFromText, textFromSearch } from './address.ts';

test('what goes into the address comes back', () => {
  const names = fc.stringMatching(/^[a-z]{1,8}$/);
  fc.assert(
    fc.property(fc.dictionary(names, fc.string({ unit: 'grapheme' }), { noNullPrototype: true }), (search) => {
      expect(searchFromText(textFromSearch(search))).toEqual(search);
    }),
  );
});

test('what is not text is left out', () => {
  expect(textFromSearch({ tenant: '007', endpoint: undefined, page: 3 })).toBe('?tenant=007');
  expect(textFromSearch({})).toBe('');
});
