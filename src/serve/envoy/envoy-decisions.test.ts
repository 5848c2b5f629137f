import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { expect, it } from 'vitest';
import { policiesOf, policy } from '../../../test/conformance/limits/world.ts';
import { Limiter, MemoryStore, subjectOf } from '../../limit/index.ts';
import type { House } from '../house.ts';
import { shouldRateLimit } from './envoy-decisions.ts';

/** Counters that break at one of the decisions. */
class BreakingStore extends MemoryStore {
  breaksAt = 0;
  override decide(...args: Parameters<MemoryStore['decide']>): ReturnType<MemoryStore['decide']> {
    if (--this.breaksAt === 0) throw new Error('broken');
    return super.decide(...args);
  }
}

/** A request with a descriptor for each tenant. */
function request(...tenants: string[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const tenant of tenants) {
    writer.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string('tenant').tag(2, WireType.LengthDelimited).string(tenant);
    writer.join().join();
  }
  return writer.finish();
}

it('gives back at once what the first descriptors took when a later one fails', async () => {
  const nowUs = () => Date.UTC(2026, 5, 1) * 1000;
  const store = new BreakingStore({ nowUs, mostKeys: 1_000, mostHeld: 100 });
  const limiter = new Limiter({ store, nowUs, ratedCostOf: () => null, warn: () => undefined });
  limiter.usePolicies(policiesOf(policy('p', 'per: [tenant]', 'id: a, amount: 5, window: { fixed: 60s }')));
  const house = { limiter, limitHeaders: ['off'] } as unknown as House;
  store.breaksAt = 3;
  await expect(shouldRateLimit(house, request('a', 'b', 'c'))).rejects.toThrow('broken');
  const used = async (tenant: string) => {
    const ask = { subject: subjectOf({ tenant }), units: 1, money: null, least: 0, isPeek: true, hold: null };
    return (await limiter.decide(ask)).findings[0]!.outcome.before;
  };
  expect([await used('a'), await used('b')]).toEqual([0, 0]);
  await shouldRateLimit(house, request('a', 'b', 'c'));
  expect([await used('a'), await used('b')]).toEqual([1, 1]);
  // Nobody can ask for them again, so that none takes a place.
  expect(store.kept).toMatchObject({ held: 0, remembered: 0 });
});
