import { expect, test } from 'vitest';
import { counted, formatCount, formatDuration, formatShare } from './format-count.ts';

test.each([
  [null, 'unknown'],
  [0, '0 %'],
  [0.0001, '< 0.1 %'],
  [0.123, '12.3 %'],
  [0.5, '50 %'],
  [0.99999, '> 99.9 %'],
  [1, '100 %'],
  [-0.25, '−25 %'],
])('share %s reads %s', (share, shown) => expect(formatShare(share)).toBe(shown));

test.each([
  [0, '0'],
  [1234567.25, '1,234,567.25'],
  [0.000001, '0.000001'],
])('count %s reads %s', (count, shown) => expect(formatCount(count)).toBe(shown));

test.each([
  [0.1234, '0.123 ms'],
  [842.4, '842 ms'],
  [12_345, '12.3 s'],
])('%s milliseconds read %s', (milliseconds, shown) => expect(formatDuration(milliseconds)).toBe(shown));

test('counts take the right number', () => {
  expect([counted(1, 'call'), counted(0, 'call'), counted(2000, 'tenant')]).toEqual([
    '1 call',
    '0 calls',
    '2,000 tenants',
  ]);
});
