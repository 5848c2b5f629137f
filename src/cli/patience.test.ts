import { describe, expect, it } from 'vitest';
import { type FailureCode, fail } from '../model/index.ts';
import { isBusy, patiently } from './patience.ts';

/** Fails so often with a code, then answers. */
function asking(code: FailureCode, times: number) {
  let asked = 0;
  return async () => {
    asked += 1;
    if (asked <= times) throw fail(code);
    return asked;
  };
}

describe('waiting for a server', () => {
  it('says once that it waits, and that it goes on', async () => {
    const said: string[] = [];
    const rounds: number[] = [];
    const meanwhile = async () => void rounds.push(said.length);
    const say = (text: string) => void said.push(text);
    expect(await patiently(asking('JOURNAL_FULL', 2), { isPassing: isBusy, say, meanwhile })).toBe(3);
    expect(said).toEqual(['taximeter: the journal is full; waiting.', 'taximeter: the server takes lines again.']);
    expect(rounds).toEqual([1, 1]);
  });

  it('says nothing where nothing is wrong', async () => {
    const say = () => expect.unreachable();
    expect(await patiently(asking('JOURNAL_FULL', 0), { isPassing: isBusy, say })).toBe(1);
  });

  it('fails at once where waiting does not help', async () => {
    const patience = { isPassing: isBusy, say: () => expect.unreachable() };
    await expect(patiently(asking('BODY_TOO_LARGE', 1), patience)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
  });

  it('ends when it is told to stop', async () => {
    const stop = new AbortController();
    const patience = { isPassing: isBusy, say: () => stop.abort(), signal: stop.signal };
    await expect(patiently(asking('SERVER_BUSY', 9), patience)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
