import { describe, expect, test } from 'vitest';
import { reachableAddress, reachableAddresses } from './reach.ts';

describe('where webhooks may go', () => {
  test.each([
    ['93.184.215.14', true],
    ['10.1.2.3', true],
    ['192.168.1.1', true],
    ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', true],
    ['fd12:3456:789a::1', true],
    ['127.0.0.1', false],
    ['127.255.255.254', false],
    ['0.0.0.0', false],
    ['169.254.169.254', false],
    ['169.254.170.2', false],
    ['100.100.100.200', false],
    ['168.63.129.16', false],
    ['224.0.0.1', false],
    ['255.255.255.255', false],
    ['::1', false],
    ['::', false],
    ['fe80::1', false],
    ['fd00:ec2::254', false],
    ['ff02::1', false],
    ['::ffff:127.0.0.1', false],
    ['::ffff:169.254.169.254', false],
    ['::ffff:a9fe:a9fe', false],
    ['64:ff9b::a9fe:a9fe', false],
    ['2002:a9fe:a9fe::1', false],
    ['::127.0.0.1', false],
    ['not an address', false],
  ])('%s: %s', (address, isAllowed) => {
    expect(reachableAddresses('')(address)).toBe(isAllowed);
  });

  test('what is allowed by a setting is, and no more than that', () => {
    const mayReach = reachableAddresses('127.0.0.1/32, ::1/128');
    expect(['127.0.0.1', '::1', '127.0.0.2', '169.254.169.254'].map(mayReach)).toEqual([true, true, false, false]);
  });

  test.each([
    ['[::1]', 'leads to ::1'],
    ['127.0.0.1', 'leads to 127.0.0.1'],
    ['localhost', 'leads to'],
  ])('the host %s is refused with its address', async (host, words) => {
    expect(await reachableAddress(host, reachableAddresses(''))).toMatchObject({
      reason: expect.stringContaining(words),
    });
  });

  test.each([
    ['decimal', 'http://2130706433/'],
    ['hexadecimal', 'http://0x7f.1/'],
    ['octal', 'http://0177.0.0.1/'],
  ])('%s ways to write an address are read before they are looked at', async (_name, url) => {
    const { hostname } = new URL(url);
    expect(await reachableAddress(hostname, reachableAddresses(''))).toHaveProperty('reason');
  });
});
