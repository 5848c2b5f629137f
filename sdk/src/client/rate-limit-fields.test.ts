import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseItems, remainingOf } from './rate-limit-fields.ts';

const nowMs = Date.UTC(2026, 5, 1);
const read = (headers: Record<string, string>) => remainingOf((name) => headers[name] ?? null, nowMs);

describe('what an answer says is left', () => {
  test.each([
    ['draft 11', { ratelimit: '"burst";r=18;t=1' }, { left: 18, resetMs: 1_000 }],
    ['draft 11, of several the scarcest', { ratelimit: '"a";r=18;t=1, "b";r=2;t=60' }, { left: 2, resetMs: 60_000 }],
    ['draft 11, of equals the longer', { ratelimit: '"a";r=0;t=1, "b";r=0;t=60' }, { left: 0, resetMs: 60_000 }],
    [
      'draft 11, the window where no reset is said',
      { ratelimit: '"b";r=0', 'ratelimit-policy': '"a";q=1;w=2,"b";q=9;w=30' },
      { left: 0, resetMs: 30_000 },
    ],
    ['the next draft', { ratelimit: 'burst;a=3;w=7' }, { left: 3, resetMs: 7_000 }],
    [
      'with parameters that nobody knows',
      { ratelimit: '"b";r=1;t=2;pk=:cHNr:;qu="requests";x' },
      { left: 1, resetMs: 2_000 },
    ],
    ['draft 06', { 'ratelimit-remaining': '5', 'ratelimit-reset': '30' }, { left: 5, resetMs: 30_000 }],
    [
      'draft 06 with its policy behind',
      { 'ratelimit-remaining': '5, 5;w=60', 'ratelimit-reset': '30' },
      { left: 5, resetMs: 30_000 },
    ],
    [
      'seconds from now',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3600' },
      { left: 0, resetMs: 3_600_000 },
    ],
    [
      'seconds since 1970',
      { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': String(nowMs / 1000 + 9) },
      { left: 1, resetMs: 9_000 },
    ],
    [
      'milliseconds since 1970',
      { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': String(nowMs + 9) },
      { left: 1, resetMs: 9 },
    ],
    [
      'a reset that is over',
      { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': String(nowMs / 1000 - 9) },
      { left: 1, resetMs: 0 },
    ],
    [
      'the newest before the old',
      { ratelimit: '"b";r=1;t=2', 'x-ratelimit-remaining': '900' },
      { left: 1, resetMs: 2_000 },
    ],
    [
      'the old where the newest is broken',
      { ratelimit: '"b;r=1', 'x-ratelimit-remaining': '9' },
      { left: 9, resetMs: 0 },
    ],
    ['a minus', { ratelimit: '"b";r=-1;t=2' }, null],
    ['words', { 'x-ratelimit-remaining': 'plenty' }, null],
    ['nothing', {}, null],
  ])('%s', (_, headers, remaining) => {
    expect(read(headers as Record<string, string>)).toEqual(remaining);
  });

  test('anything can be read without harm', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const found = read({
          ratelimit: one,
          'ratelimit-policy': other,
          'x-ratelimit-remaining': other,
          'x-ratelimit-reset': one,
        });
        if (found === null) return;
        expect(found.left).toBeGreaterThanOrEqual(0);
        expect(found.resetMs).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(found.resetMs)).toBe(true);
      }),
    );
  });

  test('a list is read as it was written', () => {
    const name = fc.stringMatching(/^[ -~]{0,20}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.nat(), fc.nat()), { minLength: 1, maxLength: 5 }), (items) => {
        const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
        const text = items.map(([value, r, t]) => `${quoted(value)};r=${r};t=${t}`).join(', ');
        expect(parseItems(text)).toEqual(
          items.map(([value, r, t]) => ({
            value,
            params: new Map([
              ['r', r],
              ['t', t],
            ]),
          })),
        );
      }),
    );
  });

  test.each(['"a', '"a" "b"', 'a,', ',a', 'a;', 'a;R=1', '"a\\b"', '=1', 'a;r=', '"ä"'])('%j is no list', (text) => {
    expect(parseItems(text)).toBe(null);
  });
});
