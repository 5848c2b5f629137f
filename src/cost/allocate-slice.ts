import { compareUtf8, type Driver } from '../model/index.ts';
import { Int128Column } from './int128.ts';
import { type Step, scaledDecimal } from './pool.ts';
import { type Rule, reach } from './rule.ts';
import { shareOutMany } from './share-out-many.ts';
import { shareOut } from './shares.ts';
import {
  joinedShares,
  orderedShares,
  residualShare,
  type SliceShares,
  takerShares,
  tenantShare,
} from './slice-shares.ts';
import { type Scope, servicesOf, takersOf } from './takers.ts';
import type { WorkTotals } from './work-totals.ts';

/** What was measured in a charge period. */
export interface Measured {
  /** The work; its texts get the services and tenants that an amount is split over. */
  readonly work: WorkTotals;
  /** The work of the whole billing period, with the same texts; null where no rule shares what is idle. */
  readonly wider: WorkTotals | null;
  /** By `integralKey`: what a metric or meter came to, per service or tenant. */
  readonly integrals: ReadonlyMap<string, ReadonlyMap<string, bigint>>;
}

/** Names what has to be known to split over services or tenants by a metric or a meter. */
export function integralKey(over: Step['over'], by: Step['by']): string {
  if (typeof by === 'string') return `${over} metric ${by}`;
  if ('metric' in by) return `${over} metric ${by.metric}`;
  return 'meter' in by ? `${over} meter ${by.meter} ${by.group}` : '';
}

/**
 * Shares one slice's amount over the work of its charge period.
 *
 * Takes  amountAtto: any sign. rule: of the pool, null when no pool takes the charge.
 * Gives  the shares of tenants and of the residual accounts.
 * Holds  shares add up to the amount, after every step.
 * From   DESIGN, arithmetic 5 and 6; docs/internals/allocation.md
 */
export function allocateSlice(amountAtto: bigint, rule: Rule | null, measured: Measured): SliceShares {
  const { texts } = measured.work;
  if (rule === null) return residualShare(texts, 'out_of_scope', 0, amountAtto);
  const isInOrder = rule.into === null && rule.steps.every(({ over }) => over === 'service');
  const shares = sharedBy(amountAtto, rule, measured);
  return isInOrder ? shares : orderedShares(shares);
}

function sharedBy(amountAtto: bigint, rule: Rule, measured: Measured): SliceShares {
  if (rule.into === null) return shareInSteps(amountAtto, rule, measured);
  // What comes to a pool over several ways is added up before it is shared, so that the number of ways does not matter.
  const amounts = new Map<Rule, bigint>([[rule, amountAtto]]);
  const shares: SliceShares[] = [];
  for (const at of reach(rule)) {
    const amount = amounts.get(at);
    if (amount === undefined) continue;
    const parts = at.into && partsOf(amount, at.into, measured);
    if (at.into === null) shares.push(shareInSteps(amount, at, measured));
    else if (parts === null) shares.push(idleShares(amount, at, everything(at), '', measured));
    else
      parts?.forEach((part, place) => {
        const next = at.into!.rules[place]!;
        if (part !== 0n || amount === 0n) amounts.set(next, (amounts.get(next) ?? 0n) + part);
      });
  }
  return joinedShares(shares);
}

/** What each of the pools that an amount is passed on to gets; null where nobody has anything to share it by. */
function partsOf(amount: bigint, { rules, by }: NonNullable<Rule['into']>, measured: Measured): bigint[] | null {
  const weights = rules.map((rule) => {
    if (by === 'even') return 1n;
    if (typeof by === 'string') return sumOf(measured.work, by, rule.services ?? null);
    if ('percent' in by) return scaledDecimal(by.percent[rule.id] ?? '0', 6);
    const integrals = measured.integrals.get(integralKey('service', by)) ?? new Map();
    return [...integrals].reduce(
      (sum, [name, integral]) => (isIn(rule.services, name) && integral > 0n ? sum + integral : sum),
      0n,
    );
  });
  return weights.some((weight) => weight > 0n) ? shareOut(amount, weights) : null;
}

function sumOf(work: WorkTotals, driver: Driver, services: readonly string[] | null): bigint {
  const totals = work.totals.get(driver) ?? Int128Column.zeros(0);
  const inScope = servicesOf(work, services);
  if (inScope === null) return positive(totals.sum());
  let sum = 0n;
  for (let row = 0; row < totals.count; row++) if (inScope.has(work.services[row]!)) sum += totals.get(row);
  return positive(sum);
}

function positive(value: bigint): bigint {
  return value > 0n ? value : 0n;
}

/** Splits over services or tenants, step after step, then each part by the driver among the work that is left in scope. */
function shareInSteps(amount: bigint, rule: Rule, measured: Measured): SliceShares {
  return shareFrom(0, amount, rule, everything(rule), '', measured);
}

function everything({ services }: Rule): Scope {
  return { services: services ?? null, tenant: null };
}

function shareFrom(
  at: number,
  amount: bigint,
  rule: Rule,
  scope: Scope,
  label: string,
  measured: Measured,
): SliceShares {
  const step = rule.steps[at];
  if (step === undefined) return shareByDriver(amount, rule, scope, label, measured);
  const takers = takersOfStep(step, rule, scope, measured);
  if (takers.length === 0) return idleShares(amount, rule, scope, label, measured);
  const parts = shareOut(
    amount,
    takers.map(([, weight]) => weight),
  );
  const { texts } = measured.work;
  return joinedShares(
    takers.map(([name], place) =>
      step.over === 'service'
        ? shareFrom(at + 1, parts[place]!, rule, { ...scope, services: [name] }, name, measured)
        : shareFrom(at + 1, parts[place]!, rule, { ...scope, tenant: texts.idOfString(name) }, label, measured),
    ),
  );
}

/** Services or tenants that take a part of a step, in byte order, unattributed work last. */
function takersOfStep(
  { over, by }: Step,
  rule: Rule,
  scope: Scope,
  measured: Measured,
): (readonly [name: string, weight: bigint])[] {
  const isInScope = (name: string) =>
    over === 'service'
      ? isIn(scope.services ?? undefined, name)
      : scope.tenant === null || measured.work.texts.find(name) === scope.tenant;
  const found = weightsOfStep(over, by, rule, scope, measured).filter(
    ([name, weight]) => weight > 0n && isInScope(name),
  );
  return found.sort(([a], [b]) => Number(a === '') - Number(b === '') || compareUtf8(a, b));
}

function weightsOfStep(
  over: Step['over'],
  by: Step['by'],
  rule: Rule,
  scope: Scope,
  measured: Measured,
): [string, bigint][] {
  if (typeof by === 'object' && 'percent' in by)
    return Object.entries(by.percent).map(([name, share]) => [name, scaledDecimal(share, 6)]);
  if (typeof by === 'object' && 'driver' in by) return workBy(over, by.driver, scope, measured.work);
  if (by === 'even') {
    return workBy(over, rule.quantity, scope, measured.work).flatMap(([name, sum]) =>
      name !== '' && sum > 0n ? [[name, 1n]] : [],
    );
  }
  return [...(measured.integrals.get(integralKey(over, by)) ?? [])];
}

/** What services or tenants did, of the work in scope. */
function workBy(over: Step['over'], quantity: string, scope: Scope, work: WorkTotals): [string, bigint][] {
  const totals = work.totals.get(quantity) ?? Int128Column.zeros(0);
  const inScope = servicesOf(work, scope.services);
  const names = over === 'service' ? work.services : work.tenants;
  const sums = new Map<number, bigint>();
  for (let row = 0; row < totals.count; row++) {
    if (inScope !== null && !inScope.has(work.services[row]!)) continue;
    if (scope.tenant !== null && work.tenants[row] !== scope.tenant) continue;
    sums.set(names[row]!, (sums.get(names[row]!) ?? 0n) + totals.get(row));
  }
  return [...sums].map(([name, sum]) => [work.texts.string(name), sum]);
}

function shareByDriver(amount: bigint, rule: Rule, scope: Scope, label: string, measured: Measured): SliceShares {
  return shareAmong(amount, rule, scope, label, measured.work) ?? idleShares(amount, rule, scope, label, measured);
}

/** Null where nobody in scope has any of the driver. */
function shareAmong(amount: bigint, rule: Rule, scope: Scope, label: string, work: WorkTotals): SliceShares | null {
  const takers = takersOf(
    work,
    { quantity: rule.quantity, isEven: rule.driver === 'even', weights: rule.weights },
    scope,
  );
  if (takers.tenants.length === 0) return null;
  return takerShares(work.texts, work.texts.idOfString(label), takers, shareOutMany(amount, takers.weights));
}

/** What nobody used goes where the rule says. A tenant that a step has come to pays for its part, whether it called or not. */
function idleShares(amount: bigint, rule: Rule, scope: Scope, label: string, measured: Measured): SliceShares {
  const { texts } = measured.work;
  const service = texts.idOfString(label);
  if (scope.tenant !== null && scope.tenant !== 0) return tenantShare(texts, service, scope.tenant, amount);
  if (typeof rule.idle === 'object') return tenantShare(texts, service, texts.idOfString(rule.idle.tenant), amount);
  const shared =
    rule.idle === 'show' || scope.tenant === 0
      ? null
      : (shareAmong(amount, rule, everything(rule), label, measured.work) ??
        (measured.wider && shareAmong(amount, rule, everything(rule), label, measured.wider)));
  return shared ?? residualShare(texts, 'idle', service, amount);
}

function isIn(names: readonly string[] | undefined, name: string): boolean {
  return names === undefined || names.includes(name);
}
