import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Texts } from './texts.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\ud800', '\u0000', 'ß', '\u{1f600}'),
);

it('keeps every text as it is, and tells it from every other', () => {
  fc.assert(
    fc.property(fc.array(text, { maxLength: 60 }), fc.nat(300_000), (kept, before) => {
      const texts = new Texts();
      // Somewhere near the end of an array.
      for (let size = 0; size < before; size += 513) texts.add('x'.repeat(512));
      const places = kept.map((each) => texts.add(each));
      for (const [i, at] of places.entries()) {
        expect(texts.textAt(at)).toBe(kept[i]);
        for (const other of kept) expect(texts.isAt(at, other)).toBe(other === kept[i]);
      }
    }),
    { numRuns: 40 },
  );
});
