import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ask, Clock, hold, policiesOf, policy } from '../../../test/conformance/limits/world.ts';
import { Limiter } from '../limit.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { LeasingStore } from './leasing-store.ts';

const opened: LeasingStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

/** Nodes that share the counters of one store, on one clock. */
function nodesOf(count: number, yaml: string) {
  const clock = new Clock();
  const shared = new MemoryStore({ nowUs: clock.nowUs, mostKeys: 100_000, mostHeld: 100_000 });
  const nodes = Array.from({ length: count }, () => {
    const store = new LeasingStore({ store: shared, nowUs: clock.nowUs });
    const limiter = new Limiter({ store, nowUs: clock.nowUs, ratedCostOf: () => null, warn: () => undefined });
    limiter.usePolicies(policiesOf(yaml));
    opened.push(store);
    return { store, limiter };
  });
  return { clock, shared, nodes };
}

const leased = (limit: string) => policy('p', 'onStoreFailure: lease', `id: a, amount: 1000, ${limit}`);

describe('leases', () => {
  it('are taken when calls come often, sized by them, and given back when they are over', async () => {
    const { clock, nodes } = nodesOf(1, leased('window: { rolling: 24h }'));
    const { store, limiter } = nodes[0]!;
    for (let call = 0; call < 20; call++) await limiter.decide(ask('a'));
    const { outstanding, used } = store.leases;
    expect(outstanding).toBeGreaterThan(0);
    expect(outstanding).toBeLessThanOrEqual(50);
    // The first call of somebody is never leased for.
    expect(used).toBeLessThan(20);
    const looked = async () => (await limiter.decide(ask('a', 1, { isPeek: true }))).findings[0]!.outcome.before;
    expect(await looked()).toBe(20 + outstanding);
    clock.seconds(5);
    store.sweep();
    await new Promise((turn) => setImmediate(turn));
    expect(store.leases).toMatchObject({ outstanding: 0, lost: 0 });
    expect(await looked()).toBe(20);
    // The sums of what was leased add up.
    expect(store.leases.returned).toBeGreaterThanOrEqual(outstanding);
  });

  it('are not taken for money, places, reservations, looks, or where a policy is closed', async () => {
    const closed = policy('q', 'per: [tenant]', 'id: a, amount: 1000, window: { fixed: 60s }');
    const flight = policy('p', 'onStoreFailure: lease', 'id: f, amount: 1000, concurrency: true');
    const worlds = [`${leased('window: { fixed: 60s }')}---\n${closed}`, flight];
    for (const yaml of worlds) {
      const { store, limiter } = nodesOf(1, yaml).nodes[0]!;
      for (let call = 0; call < 50; call++) await limiter.decide(ask('a'));
      expect(store.leases).toMatchObject({ outstanding: 0, used: 0 });
    }
    const { store, limiter } = nodesOf(1, leased('window: { fixed: 60s }')).nodes[0]!;
    for (let call = 0; call < 50; call++) {
      await limiter.decide(ask('a', 1, { isPeek: true }));
      await limiter.decide(ask('a', 1, hold(String(call))));
    }
    expect(store.leases).toMatchObject({ outstanding: 0, used: 0 });
  });

  it('are shared by those who ask at once', async () => {
    const { shared, nodes } = nodesOf(1, leased('window: { fixed: 60s }'));
    const { store, limiter } = nodes[0]!;
    for (let call = 0; call < 20; call++) await limiter.decide(ask('a'));
    let asked = 0;
    const { decide } = shared;
    shared.decide = (demand) => {
      asked++;
      return decide.call(shared, demand);
    };
    const all = await Promise.all(Array.from({ length: 15 }, () => limiter.decide(ask('a'))));
    expect(all.every(({ isAllowed }) => isAllowed)).toBe(true);
    expect(asked).toBeLessThan(3);
    expect(store.leases.used).toBeGreaterThan(15);
  });
});

type Step = readonly [pauseUs: number, node: number, calls: number, units: number, dies: boolean];

const steps = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 9_000_000 }),
    fc.nat({ max: 3 }),
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 1, max: 7 }),
    fc.nat({ max: 19 }).map((number) => number === 0),
  ),
  { maxLength: 40 },
);

/** Runs the steps. Gives  what was admitted when, and at each denial what was missing: counted by nobody's use, nor in a lease. */
async function run(yaml: string, traffic: readonly Step[]) {
  const { clock, nodes } = nodesOf(4, yaml);
  const admitted: [us: number, units: number][] = [];
  const denied: { us: number; units: number; stranded: number }[] = [];
  let dead = 0;
  for (const [pauseUs, at, calls, units, dies] of traffic) {
    clock.us += pauseUs;
    const node = nodes[at % nodes.length]!;
    for (const { store } of nodes) store.sweep();
    for (let call = 0; call < calls; call++) {
      const { isAllowed } = await node.limiter.decide(ask('a', units));
      const stranded = dead + nodes.reduce((sum, { store }) => sum + store.leases.outstanding + store.leases.lost, 0);
      if (isAllowed) admitted.push([clock.us, units]);
      else denied.push({ us: clock.us, units, stranded });
    }
    if (dies && nodes.length > 1) dead += nodes.splice(at % nodes.length, 1)[0]!.store.leases.outstanding;
  }
  return { admitted, denied };
}

const sumOf = (admitted: readonly [number, number][], isIn: (us: number) => boolean) =>
  admitted.reduce((sum, [us, units]) => sum + (isIn(us) ? units : 0), 0);

describe('nodes with leases, some of which die', () => {
  it('admit of a rolling window never more than its amount within its length', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 20 }), async (traffic, parts) => {
        const { admitted } = await run(leased(`window: { rolling: 60s, parts: ${parts} }`), traffic);
        for (const [endUs] of admitted)
          expect(sumOf(admitted, (us) => us > endUs - 60_000_000 && us <= endUs)).toBeLessThanOrEqual(1000);
      }),
      { numRuns: 40 },
    );
  });

  it('admit of a fixed window never more, and deny no more than what is leased', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (traffic) => {
        const { admitted, denied } = await run(leased('window: { fixed: 60s }'), traffic);
        const windowOf = (us: number) => Math.floor(us / 60_000_000);
        for (const [endUs] of admitted)
          expect(sumOf(admitted, (us) => windowOf(us) === windowOf(endUs))).toBeLessThanOrEqual(1000);
        for (const { us, units, stranded } of denied) {
          const used = sumOf(admitted, (at) => windowOf(at) === windowOf(us) && at <= us);
          expect(used + units + stranded).toBeGreaterThan(1000);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('admit of a rate at most what was leased beyond its burst and what drains', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (traffic) => {
        const { admitted } = await run(leased('rate: { per: 60s, burst: 200 }'), traffic);
        for (const [fromUs] of admitted)
          for (const [endUs] of admitted) {
            if (endUs < fromUs) continue;
            const drained = (1000 * (endUs - fromUs)) / 60_000_000;
            // Four nodes, a twentieth each.
            expect(sumOf(admitted, (us) => us >= fromUs && us <= endUs)).toBeLessThanOrEqual(200 + drained + 4 * 10);
          }
      }),
      { numRuns: 20 },
    );
  });
});
