import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Loss, LossReason } from './outbox.ts';
import { ToldLosses } from './told-losses.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const loss = (reason: LossReason, spans: number | null): Loss => ({ reason, spans, detail: 'full' });

describe('losses', () => {
  test('are told at once, and those that follow together', () => {
    const told: Loss[] = [];
    const losses = new ToldLosses(10_000, (each) => told.push(each));
    losses.add(loss('disk', 2));
    expect(told).toEqual([loss('disk', 2)]);
    for (let i = 0; i < 500; i++) losses.add(loss('disk', 3));
    losses.add(loss('refused', 7));
    expect(told).toEqual([loss('disk', 2), loss('refused', 7)]);
    vi.advanceTimersByTime(10_000);
    expect(told.slice(2)).toEqual([loss('disk', 1_500)]);
    losses.add(loss('disk', 1));
    expect(told).toHaveLength(3);
    vi.advanceTimersByTime(10_000);
    expect(told.slice(3)).toEqual([loss('disk', 1)]);
    vi.advanceTimersByTime(10_000);
    losses.add(loss('disk', 9));
    expect(told.slice(4)).toEqual([loss('disk', 9)]);
  });

  test('add up to what was lost', () => {
    const step = fc.oneof(
      fc.record({ reason: fc.constantFrom<LossReason>('disk', 'outbox_full'), spans: fc.nat(50) }),
      fc.record({ waitMs: fc.nat(30_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const sums: Record<string, number> = {};
        const told: Record<string, number> = {};
        const losses = new ToldLosses(10_000, ({ reason, spans }) => {
          told[reason] = (told[reason] ?? 0) + spans!;
        });
        for (const each of steps) {
          if ('waitMs' in each) vi.advanceTimersByTime(each.waitMs);
          else {
            sums[each.reason] = (sums[each.reason] ?? 0) + each.spans;
            losses.add(loss(each.reason, each.spans));
          }
        }
        losses.flush();
        expect(told).toEqual(sums);
      }),
    );
  });

  test('of a file that does not say how many are told one by one', () => {
    const told: Loss[] = [];
    const losses = new ToldLosses(10_000, (each) => told.push(each));
    for (let i = 0; i < 3; i++) losses.add(loss('damaged', null));
    expect(told).toHaveLength(3);
  });
});
