import { fail } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import type { Limiter } from '../limit.ts';
import type { CompiledLimit } from '../policy/compile.ts';
import { counterKey, countUnits, uncounted } from './count-units.ts';
import { hasOwnWindows, incomparable, partsUs } from './window.ts';

export interface RebuiltLimit {
  readonly limit: CompiledLimit;
  /** Null where it was rebuilt. */
  readonly why: string | null;
  readonly counters: number;
  /** How many of them say more than before, and how many less. */
  readonly raised: number;
  readonly lowered: number;
}

/**
 * Sets counters to what the calls of their windows amount to.
 *
 * Takes  policy: only of this one; null: of all. mayFall: whether counters are lowered too. Calls that were let pass a moment ago are not
 *        counted yet, so that a counter that falls may let pass as many again.
 * Holds  the part of a rolling window that is under way never falls.
 * Fails  NOT_FOUND for a policy that there is not.
 */
export async function rebuildCounters(
  columns: ColumnStore,
  limiter: Limiter,
  { policy, mayFall, nowUs }: { readonly policy: string | null; readonly mayFall: boolean; readonly nowUs: number },
): Promise<RebuiltLimit[]> {
  const policies = limiter.policies.filter(({ name }) => policy === null || name === policy);
  if (policy !== null && policies.length === 0) throw fail('NOT_FOUND', { policy });
  const rebuilt: RebuiltLimit[] = [];
  for (const limit of policies.flatMap(({ limits }) => limits)) {
    const why = incomparable(limit) ?? (hasOwnWindows(limit) ? 'each tenant has windows of its own' : null);
    if (why === null) rebuilt.push(await rebuildLimit(columns, limiter, limit, mayFall, nowUs));
    else rebuilt.push({ limit, why, counters: 0, raised: 0, lowered: 0 });
  }
  return rebuilt;
}

const MOST_WITHOUT_CALLS = 1_000_000;

async function rebuildLimit(
  columns: ColumnStore,
  limiter: Limiter,
  limit: CompiledLimit,
  mayFall: boolean,
  nowUs: number,
): Promise<RebuiltLimit> {
  const counts = await countUnits(columns, limit, null, nowUs).catch(uncounted);
  if (typeof counts === 'string') return { limit, why: counts, counters: 0, raised: 0, lowered: 0 };
  const whose = new Map([...counts].map(([key, { subject }]) => [key, subject]));
  if (mayFall)
    for (const user of limiter.usersOf(limit, MOST_WITHOUT_CALLS)) {
      const key = counterKey(limit, user);
      if (!whose.has(key)) whose.set(key, user);
    }
  let [raised, lowered] = [0, 0];
  for (const [key, subject] of whose) {
    const parts = counts.get(key)?.parts;
    const units = partsUs(limit, subject, nowUs).map((us) => [us, wholeUnits(parts?.get(us) ?? 0n)] as const);
    const { before, after } = await limiter.put(limit, subject, units, mayFall);
    if (after > before) raised++;
    if (after < before) lowered++;
  }
  return { limit, why: null, counters: whose.size, raised, lowered };
}

/** What is sampled stands for parts of calls: a counter never says less than what was counted. */
function wholeUnits(micro: bigint): number {
  return micro <= 0n ? 0 : Number((micro + 999_999n) / 1_000_000n);
}
