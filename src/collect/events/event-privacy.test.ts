import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventTexts } from './event-privacy.ts';
import { withExactNumbers } from './json-spans.ts';
import type { MeterEvent } from './meter-event.ts';

const event = (more: Partial<MeterEvent>): MeterEvent => ({
  ...{ id: '1', source: 'shop', type: 'prompt', subject: 'acme', time: 0n, dataschema: '', data: '', exact: '' },
  ...more,
});
const pseudonym = expect.stringMatching(/^p_[0-9a-f]{20}$/);
const kept = new EventTexts('safe');

describe('what is kept of an event', () => {
  it.each<readonly [string, string, unknown]>([
    ['a name', '{"user":"ada"}', { user: 'ada' }],
    ['an address', '{"user":"ada@example.com"}', { user: pseudonym }],
    ['an address in other letters', '{"user":"ada\\u0040example.com"}', { user: pseudonym }],
    ['inside of others', '{"a":[{"b":"at 203.0.113.7 now"}]}', { a: [{ b: pseudonym }] }],
    ['far behind in a long text', `{"a":"${'x'.repeat(5_000)} ada@example.com"}`, { a: pseudonym }],
    ['a card with blanks', '{"a":"pay 4111 1111 1111 1111"}', { a: pseudonym }],
    ['a card', '{"a":"4111111111111111"}', { a: pseudonym }],
    ['a quantity as text', '{"a":"1735689600000000003"}', { a: '1735689600000000003' }],
    ['a decimal as text', '{"a":"-41.111111111111111105"}', { a: '-41.111111111111111105' }],
    ['a time', '{"a":"2025-01-01T10:00:00.123Z"}', { a: '2025-01-01T10:00:00.123Z' }],
    ['a key', '{"a":"sk_live_51HxAbCdEfGhIjKl"}', { a: pseudonym }],
  ])('%s', (_, data, expected) => {
    expect(JSON.parse(kept.event(event({ data })).data)).toEqual(expected);
  });

  it('numbers keep their digits beside a text that is changed', () => {
    const data = '{ "n": 12345678901234567890.5, "user": "ada@example.com", "tokens": 4111111111111111 }';
    const { data: safe, exact } = kept.event(event({ data }));
    expect(safe).toContain('"n": 12345678901234567890.5');
    expect(safe).toContain('"tokens": 4111111111111111');
    expect(exact).toBe(withExactNumbers(safe));
  });

  it('is the same text where nothing is personal, to the last blank', () => {
    fc.assert(
      fc.property(fc.json(), (json) => {
        const data = `{"a" : ${json}}`;
        const safe = kept.event(event({ data })).data;
        if (safe !== data) expect(safe).toMatch(/"p_[0-9a-f]{20}"/);
        expect(new EventTexts('sent').event(event({ data })).data).toBe(data);
      }),
    );
  });

  it('the subject is a pseudonym where it is personal, or where all are; one that was answered can be asked about', () => {
    const all = new EventTexts('pseudonym');
    expect([kept, all].map((texts) => texts.subject('ada@example.com'))).toEqual([pseudonym, pseudonym]);
    expect(kept.subject('acme')).toBe('acme');
    expect(all.subject('acme')).toEqual(pseudonym);
    expect(all.subject(all.subject('acme'))).toBe(all.subject('acme'));
    expect(all.subject('zoo')).not.toBe(all.subject('acme'));
    expect(new EventTexts('sent').subject('ada@example.com')).toBe('ada@example.com');
  });
});
