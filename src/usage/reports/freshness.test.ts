import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Presence } from './freshness.ts';

const SLOT = 900_000;
const at = fc.integer({ min: -30 * SLOT, max: 60 * SLOT });
const asked = fc
  .record({ slots: fc.uniqueArray(fc.nat(40)), one: at, other: at, now: at })
  .filter(({ one, other }) => one !== other);

it('counts quarters of an hour with calls as one who looks at each of them', () => {
  fc.assert(
    fc.property(asked, ({ slots, one, other, now }) => {
      const range = { fromMs: Math.min(one, other), toMs: Math.max(one, other) };
      const presence = new Presence(slots, now, null);
      const untilMs = Math.min(range.toMs, now);
      let [present, all, longest, run] = [0, 0, 0, 0];
      for (let slot = Math.floor(range.fromMs / SLOT); slot * SLOT < untilMs; slot++) {
        all++;
        if (slots.includes(slot)) present++;
        run = slots.includes(slot) ? 0 : run + 1;
        longest = Math.max(longest, run);
      }
      expect(presence.shareOf(range)).toBe(untilMs <= range.fromMs ? null : present / all);
      expect(presence.longestSilenceMs(range)).toBe(longest * SLOT);
      const state = presence.stateOf(range, range);
      if (range.fromMs >= now) expect(state).toBe('future');
      else if (present === 0) expect(state).toBe('gap');
      else expect(state).toBe(range.toMs <= now ? 'complete' : 'partial');
    }),
    { numRuns: 2_000 },
  );
});
