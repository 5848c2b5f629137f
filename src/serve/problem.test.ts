import { expect, it, vi } from 'vitest';
import { fail } from '../model/index.ts';
import { asFailure } from './problem.ts';

it('tells a failure once in a while, each code by itself, and how often it was silent', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const lines: unknown[] = [];
    const log = { info: () => undefined, warn: () => undefined, error: (_: string, facts = {}) => lines.push(facts) };
    for (let time = 0; time < 3; time++) asFailure(fail('JOURNAL_FULL', { sizeBytes: 1 }), log);
    asFailure(fail('SERVER_BUSY'), log);
    asFailure(fail('NOT_FOUND', { path: '/' }), log);
    vi.advanceTimersByTime(10_000);
    asFailure(fail('JOURNAL_FULL', { sizeBytes: 1 }), log);
    asFailure(fail('SERVER_BUSY'), log);
    expect(lines).toEqual([
      { code: 'JOURNAL_FULL', cause: '' },
      { code: 'SERVER_BUSY', cause: '' },
      { code: 'JOURNAL_FULL', cause: '', untold: 2 },
      { code: 'SERVER_BUSY', cause: '' },
    ]);
  } finally {
    vi.useRealTimers();
  }
});
