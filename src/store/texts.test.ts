import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
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

test('keeps no large text alive for a part of it', () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const texts = new Texts();
  const body = Buffer.alloc(8 << 20, 'x');
  const held = () => {
    for (let round = 0; round < 3; round++) collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  for (let at = 10; at < 30; at++) {
    body.write(`user number ${at}`);
    texts.idOfString(body.toString('latin1').slice(0, 40));
  }
  expect(texts.count).toBe(21);
  expect(held() - before).toBeLessThan(64 << 20);
});
