import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Late } from './late.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it('ends what waits too long, each at its own time, and nothing that came', () => {
  const ended: string[] = [];
  const late = new Late<string>(100, (waiting) => ended.push(waiting));
  late.add('first');
  vi.advanceTimersByTime(40);
  late.add('second');
  late.add('came');
  late.delete('came');
  vi.advanceTimersByTime(59);
  expect(ended).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(ended).toEqual(['first']);
  vi.advanceTimersByTime(39);
  expect(ended).toEqual(['first']);
  vi.advanceTimersByTime(1);
  expect(ended).toEqual(['first', 'second']);
  expect(vi.getTimerCount()).toBe(0);
  late.add('third');
  vi.advanceTimersByTime(100);
  expect(ended).toEqual(['first', 'second', 'third']);
});
