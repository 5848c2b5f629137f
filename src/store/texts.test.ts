import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Texts } from './texts.ts';

const words = fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 3000, maxLength: 9000 })));

test('gives each text one number, from 1 on, and the text back for it', () => {
  fc.assert(
    fc.property(words, (all) => {
      const texts = new Texts();
      const ids = all.map((text) => texts.idOfString(text));
      expect(ids.map((id) => texts.string(id))).toEqual(all);
      expect(all.map((text) => texts.idOfString(text))).toEqual(ids);
      expect(all.map((text) => texts.find(text))).toEqual(ids);
      expect(texts.count).toBe(new Set([...all, '']).size);
    }),
  );
});

test('the empty text is 0, a text that was never added has no number', () => {
  const texts = new Texts();
  expect([texts.idOfString(''), texts.find(''), texts.find('é')]).toEqual([0, 0, undefined]);
  expect(texts.string(0)).toBe('');
});

test('takes bytes out of the middle of others', () => {
  const texts = new Texts();
  const bytes = Buffer.from('aéb');
  expect(texts.idOf(bytes, 1, 3)).toBe(texts.idOfString('é'));
});
