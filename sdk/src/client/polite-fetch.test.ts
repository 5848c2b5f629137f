import { afterEach, describe, expect, test, vi } from 'vitest';
import { type PoliteOptions, politeFetch } from './polite-fetch.ts';
import { PoliteRefusal } from './polite-refusal.ts';

afterEach(() => void vi.useRealTimers());

type Said = number | Error | { readonly status: number; readonly headers: Record<string, string> };

/** A vendor that says what it is told to, one answer after the other, and the last one for ever; a clock that goes on by waiting only. */
function vendor(script: readonly Said[], options: PoliteOptions = {}) {
  const sent: Request[] = [];
  const waits: number[] = [];
  let nowMs = 1_000_000_000_000;
  const send = async (request: Request): Promise<Response> => {
    sent.push(request);
    const said = script[Math.min(sent.length, script.length) - 1]!;
    if (said instanceof Error) throw said;
    const { status, headers } = typeof said === 'number' ? { status: said, headers: {} } : said;
    return new Response(`answer ${sent.length}`, { status, headers });
  };
  const polite = politeFetch({
    fetch: send as typeof fetch,
    backoff: { baseMs: 100, mostMs: 1_000 },
    random: () => 0.5,
    nowMs: () => nowMs,
    pause: async (ms) => {
      waits.push(ms);
      nowMs += ms;
    },
    ...options,
  });
  const ask = (init?: RequestInit) => polite('http://vendor.test/v1/things?x=1', init);
  return { ask, sent, waits, pass: (ms: number) => (nowMs += ms) };
}

const broken = () => Object.assign(new TypeError('fetch failed'), { cause: new Error('ECONNRESET') });
const post = { method: 'POST', body: 'x' };

async function* pieces() {
  yield new Uint8Array([1]);
}

async function outcomeOf(asked: Promise<Response>): Promise<number | string> {
  return asked.then(
    ({ status }) => status,
    (cause: Error) => (cause instanceof PoliteRefusal ? cause.reason : cause.name),
  );
}

describe('repeats', () => {
  test.each<[string, Said[], RequestInit | undefined, number | string, number]>([
    ['nothing that succeeded', [200], undefined, 200, 1],
    ['a GET after a 503', [503, 200], undefined, 200, 2],
    ['a GET after a broken connection', [broken(), 200], undefined, 200, 2],
    ['a PUT', [502, 200], { method: 'PUT', body: 'x' }, 200, 2],
    ['no POST', [503, 200], post, 503, 1],
    ['a POST with an Idempotency-Key', [503, 200], { ...post, headers: { 'Idempotency-Key': 'k' } }, 200, 2],
    [
      'no body that is gone',
      [503, 200],
      { method: 'PUT', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit,
      503,
      1,
    ],
    [
      'no body that comes piece by piece',
      [503, 200],
      { method: 'PUT', body: pieces(), duplex: 'half' } as never,
      503,
      1,
    ],
    ['a body of bytes', [503, 200], { method: 'PUT', body: new Uint8Array([1, 2]) }, 200, 2],
    ['a form', [503, 200], { method: 'PUT', body: new URLSearchParams('a=b') }, 200, 2],
    ['nothing that stays wrong', [404, 200], undefined, 404, 1],
    ['not for ever', [503], undefined, 503, 4],
    ['broken connections not for ever', [broken()], undefined, 'TypeError', 4],
    ['nothing that was broken off', [new DOMException('stop', 'AbortError')], undefined, 'AbortError', 1],
  ])('%s', async (_, script, init, outcome, times) => {
    const { ask, sent } = vendor(script);
    expect(await outcomeOf(ask(init))).toBe(outcome);
    expect(sent).toHaveLength(times);
  });

  test('with the same body and headers', async () => {
    const { ask, sent } = vendor([503, 503, 200]);
    await ask({ method: 'PUT', body: 'the body', headers: { 'x-a': 'b' } });
    expect(await Promise.all(sent.map((each) => each.text()))).toEqual(Array(3).fill('the body'));
    expect(sent.map(({ headers }) => headers.get('x-a'))).toEqual(['b', 'b', 'b']);
  });

  test('later each time, and never before Retry-After', async () => {
    const { ask, waits } = vendor([503, { status: 429, headers: { 'retry-after': '7' } }, 503, 200]);
    expect((await ask()).status).toBe(200);
    expect(waits).toEqual([50, 7_100, 200]);
  });

  test('not when that is too long: the answer comes back, and the next request is not sent', async () => {
    const { ask, sent, pass } = vendor([{ status: 429, headers: { 'retry-after': '120' } }, 200]);
    expect((await ask()).status).toBe(429);
    const refusal = await ask().catch((cause: PoliteRefusal) => cause);
    expect(refusal).toMatchObject({ reason: 'vendor_quota', retryAtMs: 1_000_000_120_000 });
    expect(sent).toHaveLength(1);
    pass(120_000);
    expect((await ask()).status).toBe(200);
  });

  test('within the budget', async () => {
    const { ask, sent } = vendor([503], {
      retryBudget: { perSuccess: 0.1, most: 5 },
      circuit: { failures: 1_000, openMs: 1 },
    });
    for (let i = 0; i < 10; i++) expect((await ask()).status).toBe(503);
    expect(sent).toHaveLength(15);
  });
});

describe("stops before a vendor's quota", () => {
  test('until its reset, when that is soon', async () => {
    const left = (r: number) => ({ status: 200, headers: { ratelimit: `"b";r=${r};t=3` } });
    const { ask, waits } = vendor([left(1), left(0), left(9)]);
    await ask();
    await ask();
    expect(waits).toEqual([]);
    await ask();
    expect(waits).toEqual([3_050]);
  });

  test('at once, when that is long', async () => {
    const { ask, sent } = vendor(
      [{ status: 200, headers: { 'x-ratelimit-remaining': '5', 'x-ratelimit-reset': '3600' } }],
      { keep: 5 },
    );
    await ask();
    expect(await outcomeOf(ask())).toBe('vendor_quota');
    expect(sent).toHaveLength(1);
  });

  /** A vendor that counts, answers a moment later, and takes so many until its reset, once it is up. */
  function counting(most: number, failures: number) {
    let [sent, nowMs] = [0, 1_000_000_000_000];
    const send = async () => {
      sent += 1;
      const left = Math.max(0, most - sent);
      const status = sent <= failures ? 503 : 200;
      await new Promise((done) => setTimeout(done, 1));
      return new Response('', { status, headers: { 'ratelimit-remaining': `${left}`, 'ratelimit-reset': '3600' } });
    };
    const polite = politeFetch({
      fetch: send as typeof fetch,
      nowMs: () => nowMs,
      pause: async (ms) => {
        nowMs += ms;
      },
      attempts: 1,
      circuit: { failures: Math.max(1, failures), openMs: 0 },
    });
    const all = (count: number) =>
      Promise.all(Array.from({ length: count }, () => outcomeOf(polite('http://vendor.test/'))));
    return { all, sent: () => sent };
  }

  test.each([
    ['at once', 0],
    ['while a circuit tries out whether the host is back', 3],
  ])('by requests that start %s', async (_, failures) => {
    const { all, sent } = counting(failures + 5, failures);
    for (let i = 0; i < Math.max(1, failures); i++) await all(1);
    const outcomes = await all(50);
    expect(sent()).toBe(failures + 5);
    expect(outcomes.filter((each) => each === 'vendor_quota')).toHaveLength(failures === 0 ? 46 : 45);
  });

  test('that the caller knows of', async () => {
    const { ask, sent, pass } = vendor([200], { quota: { requests: 3, windowMs: 60_000 } });
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => outcomeOf(ask())));
    expect(outcomes).toEqual([200, 200, 200, 'own_quota', 'own_quota']);
    pass(70_000);
    expect(await outcomeOf(ask())).toBe(200);
    expect(sent).toHaveLength(4);
  });
});

describe('stops before a cap on what is spent', () => {
  const spend = { cap: '0.10', windowMs: 60_000, price: () => '0.03' };

  test('by the prices', async () => {
    const { ask, sent } = vendor([200], { spend });
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => outcomeOf(ask())));
    expect(outcomes).toEqual([200, 200, 200, 'spend_cap', 'spend_cap']);
    expect(sent).toHaveLength(3);
  });

  test('by what it did cost, once that is known', async () => {
    const { ask } = vendor([200], { spend: { ...spend, actual: () => '0.01' } });
    for (let i = 0; i < 8; i++) expect(await outcomeOf(ask())).toBe(200);
    expect(await outcomeOf(ask())).toBe('spend_cap');
  });

  test('each attempt costs', async () => {
    const { ask, sent } = vendor([503], { spend });
    expect(await outcomeOf(ask())).toBe('spend_cap');
    expect(sent).toHaveLength(3);
  });

  test('a price that is none is an error, and nothing is sent', async () => {
    const { ask, sent } = vendor([200], { spend: { ...spend, price: () => 'cheap' } });
    expect(await outcomeOf(ask())).toBe('TypeError');
    expect(sent).toHaveLength(0);
  });
});

describe('a circuit', () => {
  test('opens after failures in a row and spares the host; what was not sent costs nothing', async () => {
    const { ask, sent } = vendor([503], {
      attempts: 1,
      circuit: { failures: 3, openMs: 60_000 },
      spend: { cap: '4', windowMs: 60_000, price: () => '1' },
    });
    const outcomes: (number | string)[] = [];
    for (let i = 0; i < 6; i++) outcomes.push(await outcomeOf(ask()));
    expect(outcomes).toEqual([503, 503, 503, 'circuit_open', 'circuit_open', 'circuit_open']);
    expect(sent).toHaveLength(3);
  });

  test('does not open by what is our fault', async () => {
    const { ask, sent } = vendor([429, 404], { attempts: 1, circuit: { failures: 2, openMs: 60_000 } });
    for (let i = 0; i < 6; i++) await ask();
    expect(sent).toHaveLength(6);
  });
});

describe('whoever breaks off', () => {
  test('is not asked again, says nothing against the host, and gets what it broke off with', async () => {
    let sent = 0;
    const send = async (request: Request) => {
      sent += 1;
      await new Promise((_, failed) => request.signal.addEventListener('abort', () => failed(request.signal.reason)));
      return new Response('');
    };
    const polite = politeFetch({
      fetch: send as typeof fetch,
      circuit: { failures: 1, openMs: 60_000 },
      retryBudget: { perSuccess: 0, most: 1 },
    });
    // What fetch says of a broken connection has a cause as well.
    const reason = new Error('the caller went away', { cause: 'patience' });
    for (let i = 1; i <= 3; i++) {
      const controller = new AbortController();
      const asked = polite('http://vendor.test/', { signal: controller.signal });
      while (sent < i) await new Promise(setImmediate);
      controller.abort(reason);
      expect(await asked.catch((cause) => cause)).toBe(reason);
    }
    expect(sent).toBe(3);
  });

  test('while it waits for its turn waits no longer', async () => {
    const controller = new AbortController();
    const left = { status: 200, headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': '20' } };
    const { ask, sent } = vendor([left], { pause: undefined });
    await ask();
    const waiting = ask({ signal: controller.signal }).catch((cause: Error) => cause.name);
    await new Promise(setImmediate);
    controller.abort();
    expect([await waiting, sent.length]).toEqual(['AbortError', 1]);
  });
});

test('nobody waits longer than the longest wait, also not in turns', async () => {
  const left = { status: 200, headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': '20' } };
  let nowMs = 0;
  const polite = politeFetch({
    fetch: (async () => new Response('', left)) as typeof fetch,
    nowMs: () => nowMs,
    random: () => 0.5,
    pause: async (ms) => {
      nowMs += ms;
    },
  });
  const ask = async () => {
    const began = nowMs;
    const outcome = await outcomeOf(polite('http://vendor.test/'));
    return { outcome, waited: nowMs - began };
  };
  await ask();
  const asked = await Promise.all(Array.from({ length: 20 }, ask));
  expect(asked.filter(({ outcome }) => outcome === 200).length).toBeGreaterThan(0);
  expect(asked.filter(({ outcome }) => outcome === 'vendor_quota').length).toBeGreaterThan(0);
});

describe('a clock that is put forward', () => {
  test('opens no cap, no quota, and no host that asked to be left alone', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const later = { status: 429, headers: { 'retry-after': '3600' } };
    const cases: [PoliteOptions, Said, string][] = [
      [{ spend: { cap: '1', windowMs: 60_000, price: () => '1' } }, 200, 'spend_cap'],
      [{ quota: { requests: 1, windowMs: 60_000 } }, 200, 'own_quota'],
      [{ attempts: 1 }, later, 'vendor_quota'],
    ];
    for (const [options, said, reason] of cases) {
      const { ask, sent } = vendor([said], { ...options, nowMs: undefined });
      await ask();
      vi.setSystemTime(Date.now() + 86_400_000);
      const refusal = await ask().catch((cause: PoliteRefusal) => cause);
      expect(refusal).toMatchObject({ reason });
      // It is said by the clock that everybody else reads.
      const inMs = (refusal as PoliteRefusal).retryAtMs! - Date.now();
      expect(inMs > 50_000 && inMs <= 3_600_000).toBe(true);
      expect(sent).toHaveLength(1);
    }
  });
});

test('of thousands of hosts those are remembered that asked to be left alone', async () => {
  const sent: string[] = [];
  const polite = politeFetch({
    fetch: (async (request: Request) => {
      sent.push(request.url);
      const isShut = request.url === 'http://shut.test/';
      return new Response('', isShut ? { status: 429, headers: { 'retry-after': '3600' } } : {});
    }) as typeof fetch,
    attempts: 1,
  });
  await polite('http://shut.test/');
  for (let i = 0; i < 6_000; i++) await polite(`http://host-${i}.test/`);
  expect(await outcomeOf(polite('http://shut.test/'))).toBe('vendor_quota');
  expect(sent).toHaveLength(6_001);
});
