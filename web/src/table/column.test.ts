import { expect, test } from 'vitest';
import { compareSortKeys } from './column.ts';

test.each([
  [1n, 2n, -1],
  [10n ** 30n + 1n, 10n ** 30n, 1],
  [2, 1, 1],
  ['GET /v2', 'GET /v10', -1],
  ['a', 'a', 0],
  [null, 1n, 0],
  [3n, 3n, 0],
])('%s against %s is %i', (a, b, order) => expect(Math.sign(compareSortKeys(a, b))).toBe(order));
