import { describe, expect, it } from 'vitest';
import { safeConsumer, safeLabel, safeName, safePeer, safeVersion } from './privacy.ts';

describe('a label is safe', () => {
  it.each([
    ['call fe80::1 now', 'call {ip} now'],
    ['::1', '{ip}'],
    ['node:2001:db8::1', 'node:{ip}'],
    ['http://[2001:db8::1]:443/x', 'http://[{ip}]:443/x'],
    ['2001:db8:85a3::8a2e:370:7334', '{ip}'],
    ['std::vector2', 'std::vector2'],
    ['Admin::Feed::Add', 'Admin::Feed::Add'],
    ['at 12:30:45', 'at 12:30:45'],
    ['ada@example.com/grace%40example.com', '{email}/{email}'],
  ])('%s -> %s', (text, safe) => {
    expect(safeLabel(text)).toBe(safe);
  });

  it('has nothing of an address or a key that lies where a long text is cut', () => {
    for (const secret of ['ada.lovelace@example.com', '4111111111111111', 'sk_live_51HxAbCdEfGhIjKl']) {
      for (let before = 480; before < 520; before++)
        expect(safeLabel(`${'x '.repeat(before / 2)}${secret} ${'y '.repeat(99)}`)).not.toContain(secret.slice(0, 4));
    }
  });
});

describe('a text of a megabyte', () => {
  // What takes the square of a text's length does not end within the time of a test.
  it.each(['a', 'a.', '@', '%40', '1', '1-', 'a:', '::1', 'eyJ-', 'sk-', ']', ':1', '😀', 'a b '])(
    'of %s is short and quick',
    (part) => {
      const text = part.repeat((1 << 20) / part.length);
      for (const safe of [safeLabel, safeName, safePeer, safeVersion, safeConsumer]) {
        expect(safe(text).length).toBeLessThanOrEqual(512);
        expect(Buffer.from(safe(text)).toString()).toBe(safe(text));
      }
    },
  );

  it('that names a person is a pseudonym of all of it', () => {
    const [one, other] = ['1', '2'].map((end) => safeConsumer(`ada@example.com ${'a'.repeat(1 << 20)}${end}`));
    expect(one).toMatch(/^p_[0-9a-f]{20}$/);
    expect(one).not.toBe(other);
  });
});
