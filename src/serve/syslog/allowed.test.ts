import { describe, expect, it } from 'vitest';
import { allowedSenders } from './allowed.ts';

describe('who may send', () => {
  it.each<readonly [string, string, boolean]>([
    ['', '127.0.0.1', true],
    ['', '::1', true],
    ['', '::ffff:127.0.0.1', true],
    ['', '10.0.0.1', false],
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '::ffff:10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8, fd00::/8', 'fd12::1', true],
    ['10.0.0.0/8,fd00::/8', 'fe80::1', false],
    ['10.0.0.0/8', '127.0.0.1', true],
    ['10.0.0.0/8', '', false],
  ])('with "%s" %s: %s', (networks, address, isAllowed) => {
    expect(allowedSenders(networks)(address)).toBe(isAllowed);
  });
});
