import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quoted } from './quoted.ts';

it('writes what JSON writes', () => {
  const unit = fc.constantFrom(
    'a',
    'é',
    '"',
    '\\',
    '\n',
    '\u0000',
    '\u007f',
    '\u2028',
    '\ud800',
    '\udc00',
    '\u{1f600}',
  );
  fc.assert(
    fc.property(fc.string({ unit }), (text) => {
      expect(quoted(text)).toBe(JSON.stringify(text));
    }),
  );
});
