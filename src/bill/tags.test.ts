import { expect, test } from 'vitest';
import type { DirtCounts } from './dirt.ts';
import { tagsFromJson } from './tags.ts';

const rows: readonly (readonly [what: string, text: string, tags: Record<string, string> | null])[] = [
  ['none', '', {}],
  ['an object', '{"env":"prod","team":"a"}', { env: 'prod', team: 'a' }],
  ['keys with spaces around them', '{" org":"trey"}', { org: 'trey' }],
  ['a clean key wins over one with spaces, before it', '{"org":"clean"," org":"spaced"}', { org: 'clean' }],
  ['a clean key wins over one with spaces, after it', '{" org":"spaced","org":"clean"}', { org: 'clean' }],
  [
    'values that are no text',
    '{"a":true,"b":1.5,"c":null,"d":{"e":[1]}}',
    { a: 'true', b: '1.5', c: 'null', d: '{"e":[1]}' },
  ],
  ['a list of key and value', '[{"key":"env","value":"prod"},{"key":"b","value":2}]', { env: 'prod', b: '2' }],
  ['an empty key', '{"":"x"," ":"y"}', {}],
  ['JSON null', 'null', {}],
  ['no JSON', 'env=prod', null],
  ['a list of something else', '[1,2]', null],
  ['a bare text', '"prod"', null],
];

test.each(rows)('%s', (_what, text, tags) => {
  const read = tagsFromJson(text, {});
  expect(read === null ? null : Object.fromEntries(read)).toEqual(tags);
});

test('keys come sorted, so that their order in the export makes no difference', () => {
  expect(tagsFromJson('{"b":"2","a":"1"}', {})).toEqual(tagsFromJson('{"a":"1","b":"2"}', {}));
});

test('keys with spaces are counted', () => {
  const dirt: DirtCounts = {};
  tagsFromJson('{" a":"1","b ":"2","c":"3"}', dirt);
  expect(dirt).toEqual({ tagKeySpace: 2 });
});
