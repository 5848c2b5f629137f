import { handleAll } from 'cockatiel';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Circuit, isBroken } from './circuit.ts';

afterEach(() => void vi.useRealTimers());

const fails = async () => Promise.reject(new Error('away'));
const outcomeOf = (circuit: Circuit, run: () => Promise<string>) =>
  circuit.execute(run).catch((cause: Error) => (isBroken(cause) ? 'not asked' : cause.message));

describe('a circuit', () => {
  test.each([
    ['stood still', 0],
    ['was set back', -3_600_000],
    ['went on', 1_000],
  ])('is tried again after its time where the clock %s', async (_, stepMs) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let passedMs = 50;
    const circuit = new Circuit(handleAll, 2, 1_000, () => passedMs);
    expect([await outcomeOf(circuit, fails), await outcomeOf(circuit, fails)]).toEqual(['away', 'away']);
    expect([circuit.isClosed, await outcomeOf(circuit, fails)]).toEqual([false, 'not asked']);
    vi.setSystemTime(Date.now() + stepMs);
    passedMs += 1_000;
    let answer = (_: string) => {};
    const tried = outcomeOf(circuit, () => new Promise((done) => (answer = done)));
    expect(circuit.isTrying).toBe(true);
    answer('back');
    expect([await tried, circuit.isClosed]).toEqual(['back', true]);
  });

  test('that was tried in vain is left alone again', async () => {
    let passedMs = 0;
    const circuit = new Circuit(handleAll, 1, 1_000, () => passedMs);
    await outcomeOf(circuit, fails);
    passedMs = 1_000;
    expect(await outcomeOf(circuit, fails)).toBe('away');
    passedMs = 1_999;
    expect(await outcomeOf(circuit, fails)).toBe('not asked');
  });
});
