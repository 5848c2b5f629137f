import type { z } from 'zod';
import { storedAmount } from '../../cost/index.ts';
import { costReport, costStates, KeptPrices } from '../../ledger/index.ts';
import {
  inOrder,
  type LimitPolicySpec,
  limitPolicySpec,
  type PlanSpec,
  type PolicyVersion,
  planSpec,
  readPlans,
  type Subject,
  whatIf,
} from '../../limit/index.ts';
import {
  fail,
  formatInstant,
  formatMoney,
  MILLIS_PER_MINUTE,
  type Problem,
  type TimeRange,
} from '../../model/index.ts';
import { parseDocuments } from '../../store/index.ts';
import type { whatIfAnswer } from '../contract/limits.ts';
import type { House } from '../house.ts';

/** Replays the calls of a range against the policies of a text. Fails  DOCUMENT_INVALID with every problem. */
export async function answerWhatIf(
  house: House,
  text: string,
  range: TimeRange,
  currency: string | undefined,
): Promise<z.infer<typeof whatIfAnswer>> {
  const plans = await readPlans(house.store.documents);
  const policies = proposed(text, plans);
  const booked = await bookedCosts(house, range, currency);
  const prices = await pricesFor(house, [...currenciesOf(policies), booked.currency], new Date(range.toMs));
  const bookedIn = (subject: Subject, of: string) => {
    const amountAtto = of === booked.currency ? booked.costOf(subject) : null;
    return amountAtto === null ? null : { amountAtto, currency: of };
  };
  const report = await whatIf(house.store.columns, {
    ...{ policies, plans, fromUs: range.fromMs * 1000, toUs: range.toMs * 1000 },
    ratedCostOf: (subject, of) => prices.ratedCostOf(subject, of) ?? bookedIn(subject, of),
    savedBy: (subject) => booked.costOf(subject) ?? prices.ratedCostOf(subject, booked.currency)?.amountAtto ?? null,
  });
  const known = report.rows.flatMap(({ savedAtto }) => savedAtto ?? []);
  return {
    ...{ from: formatInstant(range.fromMs), to: formatInstant(range.toMs), currency: booked.currency },
    ...{ calls: shown(report.callsMicro), limited: shown(report.limitedMicro) },
    ...{ refusedBefore: shown(report.refusedBeforeMicro), undecided: shown(report.undecidedMicro) },
    saved: known.length === 0 ? null : formatMoney(known.reduce((sum, each) => sum + each, 0n)),
    callsOfUnknownCost: shown(report.rows.reduce((sum, { unknownCostMicro }) => sum + unknownCostMicro, 0n)),
    rows: report.rows.map(({ policy, limit, per, firstUs, lastUs, limitedMicro, savedAtto, unknownCostMicro }) => ({
      ...{ policy, limit, per: { ...per } as Record<string, string> },
      ...{ first: formatInstant(firstUs / 1000), last: formatInstant(lastUs / 1000), calls: shown(limitedMicro) },
      saved: savedAtto === null ? null : formatMoney(savedAtto),
      callsOfUnknownCost: shown(unknownCostMicro),
    })),
    omitted: report.omitted,
    left: [...report.left],
  };
}

function shown(micro: bigint): number {
  return Number(micro) / 1e6;
}

/** Plans of the text stand before those that are stored. */
function proposed(text: string, plans: Map<string, PlanSpec>): PolicyVersion[] {
  const problems: Problem[] = [];
  const versions: PolicyVersion[] = [];
  for (const document of parseDocuments(text)) {
    if (document.kind === 'Plan') {
      const checked = document.check<PlanSpec>(planSpec);
      if ('problems' in checked) problems.push(...checked.problems);
      else plans.set(document.name, checked.value);
    } else if (document.kind === 'LimitPolicy') {
      const checked = document.check<LimitPolicySpec>(limitPolicySpec);
      if ('problems' in checked) problems.push(...checked.problems);
      else versions.push({ name: document.name, version: 0, spec: checked.value });
    } else problems.push({ message: `kind: ${document.kind} is no LimitPolicy and no Plan`, line: document.line });
  }
  if (problems.length > 0) throw fail('DOCUMENT_INVALID', { problems: problems.length }, problems);
  return inOrder(versions);
}

function currenciesOf(policies: readonly PolicyVersion[]): string[] {
  return policies.flatMap(({ spec }) => spec.limits.flatMap(({ money }) => money?.currency ?? []));
}

/** By what was known at the end of the range. */
async function pricesFor(house: House, currencies: readonly string[], at: Date): Promise<KeptPrices> {
  let failure: unknown = null;
  const prices = new KeptPrices({
    ...{ store: house.store, now: () => at, currencies: () => currencies },
    failed: (cause) => {
      failure = cause;
    },
  });
  await prices.refresh();
  if (failure !== null) throw failure;
  return prices;
}

/** What calls of a tenant to an endpoint were booked with on the average, rated where there is no bill yet. */
async function bookedCosts({ store, now }: House, { fromMs, toMs }: TimeRange, asked: string | undefined) {
  const range = {
    fromMs: Math.floor(fromMs / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE,
    toMs: Math.ceil(toMs / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE,
  };
  const by = ['tenant', 'endpoint'] as const;
  const report = await costReport(store, range, by, asked);
  const { rows } = await costStates(store, report, range, by, now());
  const costs = new Map<string, bigint>();
  for (const { tenant, endpoint, full, rated, calls } of rows) {
    const amount = storedAmount(full) + (rated === null ? 0n : storedAmount(rated.full));
    const callsMicro = BigInt(Math.round((calls ?? 0) * 1e6));
    // Where nothing was booked, nobody knows yet what it costs.
    if (amount > 0n && callsMicro > 0n) costs.set(keyOf({ tenant, endpoint }), (amount * 1_000_000n) / callsMicro);
  }
  return { currency: report.currency, costOf: (subject: Subject) => costs.get(keyOf(subject)) ?? null };
}

function keyOf({ tenant, endpoint }: { readonly tenant?: string; readonly endpoint?: string }): string {
  return JSON.stringify([tenant, endpoint]);
}
