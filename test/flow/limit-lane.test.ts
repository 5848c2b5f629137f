import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Limiter, MemoryStore } from '../../src/limit/index.ts';
import { policiesOf, policy } from '../conformance/limits/world.ts';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';

const nowUs = () => Date.UTC(2026, 5, 1) * 1000;
const yaml = policy('t', 'per: [tenant]', 'id: day, amount: 1000000, window: { rolling: 24h }');
let house: ListeningHouse;
beforeAll(async () => {
  house = await openListeningHouse(20_000);
});
afterAll(() => house.close());

/** Takes  isLate: as counters of another server are, which answer after a while. */
function useLimits(isLate: boolean): Limiter {
  const store = new MemoryStore({ nowUs, mostKeys: 100_000, mostHeld: 10_000 });
  const slow = {
    decide: async (demand: Parameters<MemoryStore['decide']>[0]) => {
      const outcome = store.decide(demand);
      await new Promise((turn) => setImmediate(turn));
      return outcome;
    },
  };
  const used = isLate
    ? new Proxy(store, { get: (target, name) => Reflect.get(slow, name) ?? Reflect.get(target, name) })
    : store;
  const limiter = new Limiter({ store: used, nowUs, ratedCostOf: () => null, warn: () => undefined });
  limiter.usePolicies(policiesOf(yaml));
  (house.house as { limiter: Limiter }).limiter = limiter;
  return limiter;
}

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Everything that a connection is told, until there are so many answers or it is closed. */
async function answers(socket: Socket, count: number): Promise<Answer[]> {
  const found: Answer[] = [];
  let text = '';
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    text += (bytes as Buffer).toString('latin1');
    for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
      const head = text.slice(0, end);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (text.length < end + 4 + length) break;
      found.push({ status: Number(head.slice(9, 12)), head, body: text.slice(end + 4, end + 4 + length) });
      text = text.slice(end + 4 + length);
    }
    if (found.length >= count) break;
  }
  return found;
}

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

function check(tenant: string, headers = ''): string {
  const body = JSON.stringify({ tenant });
  return `POST /api/v1/limits/check HTTP/1.1\r\nhost: localhost\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const requests = {
  check: (tenant: string) => check(tenant),
  // Of these, each takes the connection to the server.
  chunked: (tenant: string) => {
    const body = JSON.stringify({ tenant });
    return `POST /api/v1/limits/check HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  },
  authz: (tenant: string) => `GET /authz HTTP/1.1\r\nhost: localhost\r\nx-taximeter-tenant: ${tenant}\r\n\r\n`,
  health: () => 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n',
  wrong: () => 'POST /api/v1/limits/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\n{"a":',
  foreign: () => check('x', 'origin: http://evil.example\r\n'),
} as const;
const statuses = { check: 200, chunked: 200, authz: 200, health: 200, wrong: 400, foreign: 403 } as const;
const kind = fc.constantFrom(...(Object.keys(requests) as (keyof typeof requests)[]));
const some = fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant('check' as const) }, kind), {
  minLength: 1,
  maxLength: 12,
});
const cuts = fc.array(fc.nat(2_000), { maxLength: 6 });

it.each([false, true])(
  'answers in order what comes in whatever pieces, each exactly once (late: %s)',
  async (isLate) => {
    await house.listening(async ({ api }) => {
      await fc.assert(
        fc.asyncProperty(some, cuts, async (kinds, places) => {
          useLimits(isLate);
          const text = kinds.map((each, i) => requests[each](`tenant-${i}`)).join('');
          const ends = [...new Set([...places.filter((at) => at < text.length), text.length])].sort((a, b) => a - b);
          const socket = await opened(api);
          const told = answers(socket, kinds.length);
          let from = 0;
          for (const end of ends) {
            socket.write(text.slice(from, end), 'latin1');
            from = end;
            await new Promise((turn) => setImmediate(turn));
          }
          const found = await told;
          socket.destroy();
          expect(found.map(({ status }) => status)).toEqual(kinds.map((each) => statuses[each]));
          for (const [i, each] of kinds.entries())
            if (each === 'check')
              expect(JSON.parse(found[i]!.body)).toMatchObject({
                limits: [{ per: { tenant: `tenant-${i}` }, before: 0 }],
              });
        }),
        { numRuns: 40 },
      );
    });
  },
);

it('answers all of somebody who asks ten thousand times before reading, in the alphabet of the names', async () => {
  const limiter = useLimits(false);
  await house.listening(async ({ api }) => {
    const socket = await opened(api);
    const body = JSON.stringify({ tenant: 'Zürich \u{1f600}' });
    const one = `POST /api/v1/limits/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    socket.write(one.repeat(10_000), 'utf8');
    const found = await answers(socket, 10_000);
    expect(found).toHaveLength(10_000);
    expect(Buffer.from(found.at(-1)!.body, 'latin1').toString('utf8')).toContain('"per":{"tenant":"Zürich \u{1f600}"}');
    expect(limiter.counts.allowed).toBe(10_000);
    socket.destroy();
  });
});

it('says what an HTTP server says: a date, how long the connection stays', async () => {
  useLimits(false);
  await house.listening(async ({ api }) => {
    const socket = await opened(api);
    socket.write(check('a'));
    const [{ head } = { head: '' }] = await answers(socket, 1);
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(head).toMatch(/\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
    expect(head).toMatch(/\r\nkeep-alive: timeout=65$/);
    socket.destroy();
  });
});

it('closes connections that are silent, and those in the lane when it stops', async () => {
  useLimits(false);
  const closed: Promise<unknown>[] = [];
  await house.listening(
    async ({ api }) => {
      const [silent, used] = [await opened(api), await opened(api)];
      used.write(check('a'));
      await answers(used, 1);
      await Promise.all([silent, used].map((socket) => once(socket.resume(), 'close')));
    },
    { patience: { headMs: 30, bodyMs: 20_000, idleMs: 40 } },
  );
  await house.listening(async ({ api }) => {
    const socket = await opened(api);
    socket.write(check('a'));
    await answers(socket, 1);
    closed.push(once(socket.resume(), 'close'));
  });
  await Promise.all(closed);
});

it('stops at once for who never closes, and tells what was decided to who reads late', async () => {
  const limiter = useLimits(true);
  const late: Promise<Answer[]>[] = [];
  await house.listening(async ({ api }) => {
    const silent = connect({ port: api, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
    await once(silent, 'connect');
    silent.write(check('a'));
    await answers(silent, 1);
    const slow = await opened(api);
    slow.on('error', () => undefined);
    slow.write(check('b').repeat(20));
    late.push(answers(slow, 20));
    while (limiter.counts.allowed < 4) await new Promise((turn) => setImmediate(turn));
  });
  const [told = []] = await Promise.all(late);
  // Whatever was decided was told, in whole answers; nothing was decided that was not.
  expect(told.length).toBe(limiter.counts.allowed - 1);
});

it('answers all that was asked by who says at once that nothing more comes', async () => {
  useLimits(false);
  await house.listening(async ({ api }) => {
    for (const isLate of [false, true]) {
      useLimits(isLate);
      const socket = await opened(api);
      socket.end(check('a').repeat(3));
      expect((await answers(socket, 4)).map(({ status }) => status)).toEqual([200, 200, 200]);
    }
  });
});

it('goes on when an answer cannot be written', async () => {
  const limiter = useLimits(false);
  const decide = limiter.decide.bind(limiter);
  const wrong = { id: 'x\r\ny: z' };
  limiter.decide = (ask) => {
    const decision = decide(ask) as Exclude<ReturnType<Limiter['decide']>, Promise<unknown>>;
    if (ask.subject.tenant !== 'wrong') return decision;
    const findings = decision.findings.map((each) => ({
      ...each,
      limit: { ...each.limit, ...wrong },
      per: each.per,
      zone: each.zone,
    }));
    return {
      ...decision,
      isAllowed: true,
      reason: 'allowed',
      granted: 1,
      nowUs: 0,
      freesAtUs: 0,
      wouldPass: 1,
      repeat: 'none',
      binding: null,
      reservation: null,
      findings,
    };
  };
  await house.listening(async ({ api }) => {
    const socket = await opened(api);
    socket.write(check('a') + check('wrong') + check('b'));
    expect((await answers(socket, 3)).map(({ status }) => status)).toEqual([200, 500, 200]);
    socket.destroy();
  });
  expect(house.logged).toContain('a fault in Taximeter');
});

it('refuses a body that is larger than bodies may be', async () => {
  useLimits(false);
  await house.listening(async ({ api }) => {
    const socket = await opened(api);
    const body = JSON.stringify({ tenant: 'a', more: 'x'.repeat(21_000) });
    socket.write(
      `POST /api/v1/limits/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    expect(await answers(socket, 1)).toMatchObject([{ status: 413 }]);
    socket.destroy();
  });
});
