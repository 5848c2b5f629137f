import { appendFileSync, copyFileSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { tempFolder } from '../../../test/support/temp-folder.ts';
import { Limiter } from '../limit.ts';
import { compilePolicies } from '../policy/compile.ts';
import { limitPolicySpec } from '../policy/policy.ts';
import { subjectOf } from '../subject.ts';
import { CounterFile } from './counter-file.ts';
import { MemoryStore } from './memory-store.ts';

const folder = tempFolder('counters');
afterAll(() => folder.remove());

const startUs = Date.UTC(2026, 5, 1) * 1000;
let us = startUs;
const nowUs = () => us;
const limits = [
  { id: 'rate', amount: 1, rate: { per: '1h', burst: 10 } },
  { id: 'fixed', amount: 20, window: { fixed: '1h' } },
  { id: 'rolling', amount: 20, window: { rolling: '24h' } },
  { id: 'month', amount: 20, window: { calendar: 'month' } },
  { id: 'flight', amount: 5, concurrency: true },
];
const policies = compilePolicies([{ name: 'p', version: 1, spec: limitPolicySpec.parse({ limits }) }], new Map());

async function opened(path: string, warnings: string[] = [], compactBytes?: number, mostKeys = 1000) {
  const store = new MemoryStore({ nowUs, mostKeys, mostHeld: 100 });
  const file = await CounterFile.open(path, store, policies, (message) => warnings.push(message), compactBytes);
  const limiter = new Limiter({
    store,
    nowUs,
    ratedCostOf: () => null,
    warn: () => undefined,
    synced: () => file.synced(),
  });
  limiter.usePolicies(policies);
  return { file, limiter };
}

const ask = (tenant: string, isPeek = false) => ({
  ...{ subject: subjectOf({ tenant }), units: 1, money: null, least: 0, isPeek, hold: null },
});
const used = async (limiter: Limiter, tenant: string) =>
  (await limiter.decide(ask(tenant, true))).findings.map(({ outcome }) => outcome.before);

it('has after a crash everything that a closed policy admitted', async () => {
  const { limiter, file } = await opened(folder.path);
  for (let call = 0; call < 7; call++) {
    us += 1_000_000;
    expect((await limiter.decide(ask(call < 5 ? 'a' : 'b'))).isAllowed).toBe(true);
  }
  // What the disk holds at this moment is what a crash would leave.
  const crashed = tempFolder('crashed');
  copyFileSync(join(folder.path, 'limit-counters.jsonl'), join(crashed.path, 'limit-counters.jsonl'));
  appendFileSync(join(crashed.path, 'limit-counters.jsonl'), '["p|rate|torn');
  const warnings: string[] = [];
  const after = await opened(crashed.path, warnings);
  expect(await used(after.limiter, 'a')).toEqual([5, 5, 5, 5, 0]);
  expect(await used(after.limiter, 'b')).toEqual([2, 2, 2, 2, 0]);
  expect(warnings).toEqual(['lines of the limit counters cannot be read']);
  us += 86_400_000_000;
  expect(await used(after.limiter, 'a')).toEqual([0, 0, 5, 5, 0]);
  us += 900_000_000;
  expect(await used(after.limiter, 'a')).toEqual([0, 0, 0, 5, 0]);
  await after.file.close();
  await file.close();
  const again = await opened(crashed.path, warnings);
  expect([await used(again.limiter, 'a'), warnings.length]).toEqual([[0, 0, 0, 5, 0], 1]);
  await again.file.close();
  crashed.remove();
});

it('writes itself anew while decisions go on, and forgets none of them', async () => {
  const growing = tempFolder('growing');
  const path = join(growing.path, 'limit-counters.jsonl');
  const warnings: string[] = [];
  const { limiter, file } = await opened(growing.path, warnings, 20_000, 100_000);
  const expected = new Map<string, number>();
  let [smaller, last] = [0, 0];
  for (let round = 0; round < 60; round++) {
    const asked = Array.from({ length: 40 }, (_, i) => `t${(round * 7 + i * 13) % 90}`);
    const decisions = await Promise.all(asked.map((tenant) => limiter.decide(ask(tenant))));
    decisions.forEach(({ isAllowed }, i) => {
      if (isAllowed) expected.set(asked[i]!, (expected.get(asked[i]!) ?? 0) + 1);
    });
    const size = statSync(path).size;
    if (size < last) smaller++;
    last = size;
  }
  expect(smaller).toBeGreaterThan(0);
  const crashed = tempFolder('crashed');
  copyFileSync(path, join(crashed.path, 'limit-counters.jsonl'));
  const after = await opened(crashed.path, warnings, undefined, 100_000);
  for (const [tenant, count] of expected) expect((await used(after.limiter, tenant))[3]).toBe(count);
  expect(warnings).toEqual([]);
  await after.file.close();
  await file.close();
  growing.remove();
  crashed.remove();
});

it('writes everything anew after the disk was full in the middle of a line', async () => {
  const full = tempFolder('full');
  const warnings: string[] = [];
  const { limiter, file } = await opened(full.path, warnings);
  await limiter.decide(ask('a'));
  const some = await open(join(full.path, 'some'), 'w');
  const handles = Object.getPrototypeOf(some) as FileHandle;
  await some.close();
  const appends = vi.spyOn(handles, 'appendFile').mockImplementationOnce(async function (this: FileHandle, text) {
    await this.write(String(text).slice(0, 40));
    throw new Error('ENOSPC');
  });
  expect((await limiter.decide(ask('b'))).reason).toBe('store_unavailable');
  // The disk is not tried again at once.
  expect((await limiter.decide(ask('c'))).reason).toBe('store_unavailable');
  expect(appends).toHaveBeenCalledTimes(1);
  appends.mockRestore();
  await file.close();
  expect(warnings).toEqual(['limit counters cannot be written']);
  const after = await opened(full.path, warnings);
  for (const tenant of ['a', 'b', 'c']) expect(await used(after.limiter, tenant)).toEqual([1, 1, 1, 1, 0]);
  expect(warnings).toHaveLength(1);
  await after.file.close();
  full.remove();
});
