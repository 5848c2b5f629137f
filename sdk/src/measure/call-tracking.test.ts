import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Call } from '../call.ts';
import { CallTracking } from './call-tracking.ts';

let tracking: CallTracking | null = null;
afterEach(() => {
  tracking?.close();
  vi.useRealTimers();
});

function newTracking(...given: ConstructorParameters<typeof CallTracking>): CallTracking {
  tracking = new CallTracking(...given);
  return tracking;
}

function newCall(): Call {
  return new Call({} as IncomingMessage, {} as ServerResponse, 0, Buffer.alloc(16), 0, null, null, () => '');
}

function spin(ms: number): void {
  for (const began = performance.now(); performance.now() - began < ms; );
}

/** Runs code as a server does: each call begins in a turn of its own. */
function inTurn<Value>(run: () => Promise<Value>): Promise<Value> {
  return new Promise((done, failed) => setImmediate(() => run().then(done, failed)));
}

describe('a call that is followed', () => {
  test('keeps its own through timers, promises and callbacks, while others run in between', async () => {
    const followed = newTracking('every', Math.random);
    const calls = await Promise.all(
      [0, 1, 2].map((place) =>
        inTurn(async () => {
          const call = newCall();
          followed.begin(call);
          const seen = new Set([followed.current]);
          for (let step = 0; step < 5; step++) {
            await (step % 2 === 0 ? pause(1) : Promise.resolve());
            seen.add(followed.current);
            await new Promise<void>((done) => process.nextTick(() => setImmediate(done)));
            seen.add(followed.current);
            if (place === 0) spin(4);
          }
          return { call, seen, cpuMs: followed.end(call) };
        }),
      ),
    );
    for (const { call, seen } of calls) expect([...seen]).toEqual([call]);
    const [busy, ...idle] = calls.map(({ cpuMs }) => cpuMs!);
    expect(busy).toBeGreaterThan(3 * (idle[0]! + idle[1]!));
    expect(calls[0]!.call.cpuMs).toBeGreaterThanOrEqual(20);
  });

  test('has no part of what belongs to nobody', async () => {
    const followed = newTracking('every', Math.random);
    await inTurn(async () => {
      const call = newCall();
      followed.begin(call);
      followed.outside(() => {
        expect(followed.current).toBe(null);
        spin(20);
      });
      expect(followed.current).toBe(call);
      followed.end(call);
      expect(call.cpuMs).toBeLessThan(20);
    });
  });

  test('is not taken by another tracking in the same program', async () => {
    const [one, other] = [newTracking('every', Math.random), new CallTracking('every', Math.random)];
    try {
      const seen = await inTurn(async () => {
        const [mine, others] = [newCall(), newCall()];
        one.begin(mine);
        other.begin(others);
        await pause(1);
        spin(10);
        const both = [one.current === mine, other.current === others];
        return [...both, one.end(mine)! > 5, other.end(others)! > 5, mine.cpuMs < 40, others.cpuMs < 40];
      });
      expect(seen).toEqual(Array(6).fill(true));
    } finally {
      other.close();
    }
  });

  test('nothing is said of calls that are not followed', () => {
    const followed = newTracking('off', Math.random);
    const call = newCall();
    followed.begin(call);
    expect([followed.current, followed.end(call)]).toEqual([null, null]);
  });
});

describe('light calls', () => {
  /** So many calls within a second; how many of them were measured. */
  async function second(followed: CallTracking, calls: number): Promise<number> {
    let measured = 0;
    for (let i = 0; i < calls; i++) {
      const call = newCall();
      followed.begin(call);
      if (followed.end(call) !== null) measured += 1;
      await vi.advanceTimersByTimeAsync(1000 / calls);
    }
    return measured;
  }

  test('are followed in windows, and all again once the program calls others', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const followed = newTracking('auto', () => 0.5);
    expect(await second(followed, 1_000)).toBe(1_000);
    const some = await second(followed, 1_000);
    expect(some).toBeGreaterThan(0);
    expect(some).toBeLessThan(200);
    followed.sawOutbound();
    expect(await second(followed, 1_000)).toBe(1_000);
  });

  test('are all followed where there are few', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const followed = newTracking('auto', () => 0.5);
    for (let seconds = 0; seconds < 3; seconds++) expect(await second(followed, 100)).toBe(100);
  });
});
