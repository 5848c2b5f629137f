import { parse } from 'csv-parse/sync';
import { parseAllDocuments } from 'yaml';
import { grouped, nanosOf, scaled } from './numbers.ts';

/** DESIGN 6.5 and 7: bills, models and fixed amounts, written from the text alone. */

type Condition = string | readonly string[] | { readonly not: string | readonly string[] };

export interface ModelPool {
  readonly id: string;
  readonly kind: 'direct' | 'indirect';
  readonly match?: Readonly<Record<string, Condition>>;
  readonly fixed?: { readonly amount: string; readonly per: 'month' | 'day' | 'year'; readonly spread?: string };
  readonly split?: { readonly by: string };
  readonly services?: readonly string[];
  readonly driver: string;
}

export interface Model {
  readonly name: string;
  readonly fromNs: bigint;
  readonly currency: string;
  readonly basis: 'effective' | 'billed' | 'contracted' | 'list';
  readonly pools: readonly ModelPool[];
}

/** An amount to be shared at once: all charges of one bill, pool and charge period. */
export interface Heap {
  readonly key: string;
  readonly isFixed: boolean;
  readonly currency: string;
  readonly pool: ModelPool | null;
  readonly fromNs: bigint;
  readonly toNs: bigint;
  amount: bigint;
}

/** The documents that a run has: when the same name comes again, it is its next version. */
export function readDocuments(text: string): { models: Model[]; boundary: Set<string> | null } {
  const documents = parseAllDocuments(text).map((document) => document.toJS());
  const models = documents
    .filter(({ kind }) => kind === 'CostModel')
    .map(({ metadata, spec }) => ({
      name: metadata.name,
      fromNs: nanosOf(metadata.effectiveFrom ?? '1970-01-01'),
      basis: 'effective' as const,
      ...spec,
    }));
  const boundaries = new Map(
    documents.filter(({ kind }) => kind === 'Boundary').map(({ metadata, spec }) => [metadata.name, spec.services]),
  );
  return { models, boundary: boundaries.size === 0 ? null : new Set([...boundaries.values()].flat()) };
}

/** The model with the latest start that is not after a time; of equal starts the last one applied. */
function modelAt(models: readonly Model[], atNs: bigint): Model | undefined {
  const begun = models.filter((model) => model.fromNs <= atNs);
  return begun.reduce<Model | undefined>((best, each) => (best && best.fromNs > each.fromNs ? best : each), undefined);
}

/** Piles up the charges that start in [from, to), each under the first pool that matches it. */
export function heapsOfBills(bills: readonly string[], models: readonly Model[], from: bigint, to: bigint): Heap[] {
  const heaps = new Map<string, Heap>();
  for (const row of rowsInForce(bills)) {
    const [fromNs, toNs] = [nanosOf(row.ChargePeriodStart!), nanosOf(row.ChargePeriodEnd!)];
    if (fromNs < from || fromNs >= to) continue;
    const model = modelAt(models, fromNs);
    const pool = model?.pools.find((each) => each.match && matches(each.match, row)) ?? null;
    const basis = model?.basis ?? models[0]?.basis ?? 'effective';
    const cost = { effective: 'EffectiveCost', billed: 'BilledCost', contracted: 'ContractedCost', list: 'ListCost' };
    const key = JSON.stringify([
      ...[row.ProviderName, row.BillingAccountId, row.BillingPeriodStart, row.BillingCurrency, pool?.id ?? null],
      ...[row.ChargePeriodStart, row.ChargePeriodEnd, model?.name, String(model?.fromNs)],
    ]);
    const currency = row.BillingCurrency!;
    const heap = heaps.get(key) ?? { key, isFixed: false, currency, pool, fromNs, toNs, amount: 0n };
    heap.amount += scaled(row[cost[basis]]!, 18);
    heaps.set(key, heap);
  }
  return [...heaps.values()];
}

/** Each bill takes the place of what was there of the same source, account and billing period. */
function rowsInForce(bills: readonly string[]): Record<string, string | undefined>[] {
  const byUnit = new Map<string, Record<string, string | undefined>[]>();
  for (const bill of bills) {
    const rows = parse(bill, { columns: true }) as Record<string, string>[];
    const units = grouped(rows, (row) =>
      JSON.stringify([row.ProviderName, row.BillingAccountId, row.BillingPeriodStart]),
    );
    for (const [unit, itsRows] of units) byUnit.set(unit, itsRows);
  }
  return [...byUnit.values()].flat();
}

export function matches(match: Readonly<Record<string, Condition>>, row: Record<string, string | undefined>): boolean {
  const tags: Record<string, string> = row.Tags ? JSON.parse(row.Tags) : {};
  return Object.entries(match).every(([column, condition]) => {
    const text = column.startsWith('Tags.') ? tags[column.slice('Tags.'.length)] : row[column];
    if (text === undefined || (text === '' && !column.startsWith('Tags.'))) return false;
    const isNot = typeof condition === 'object' && 'not' in condition;
    const wanted = [isNot ? condition.not : condition].flat() as string[];
    return wanted.some((glob) => isGlobOf(glob, text)) !== isNot;
  });
}

/** Pieces between stars must come one after another, the first at the start and the last at the end. */
function isGlobOf(glob: string, text: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  if (rest.length === 0) return glob === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest.slice(0, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  const last = rest.at(-1)!;
  return text.length - last.length >= at && text.endsWith(last);
}

/** Fixed amounts: one per UTC calendar period, or one per hour of it, that start in [from, to) while their model is in force. */
export function heapsOfFixed(models: readonly Model[], from: bigint, to: bigint): Heap[] {
  const heaps: Heap[] = [];
  for (const model of models) {
    for (const pool of model.pools) {
      if (!pool.fixed) continue;
      for (const part of partsOf(pool.fixed, from, to)) {
        if (part.fromNs < from || part.fromNs >= to || modelAt(models, part.fromNs) !== model) continue;
        const key = JSON.stringify(['fixed', model.name, pool.id, String(part.fromNs)]);
        heaps.push({ key, isFixed: true, currency: model.currency, pool, ...part });
      }
    }
  }
  return heaps;
}

function* partsOf({ amount, per, spread }: NonNullable<ModelPool['fixed']>, from: bigint, to: bigint) {
  const first = new Date(Number(from / 1_000_000n));
  const at = (step: number) =>
    per === 'year'
      ? Date.UTC(first.getUTCFullYear() + step, 0)
      : per === 'month'
        ? Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + step)
        : Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate() + step);
  const whole = scaled(amount, 18);
  for (let step = 0; BigInt(at(step)) * 1_000_000n < to; step++) {
    const [start, end] = [BigInt(at(step)) * 1_000_000n, BigInt(at(step + 1)) * 1_000_000n];
    if (spread !== 'hours') {
      yield { fromNs: start, toNs: end, amount: whole };
      continue;
    }
    const hour = 3_600_000_000_000n;
    const hours = (end - start) / hour;
    const size = whole < 0n ? -whole : whole;
    for (let i = 0n; i < hours; i++) {
      const part = size / hours + (i < size % hours ? 1n : 0n);
      yield { fromNs: start + i * hour, toNs: start + (i + 1n) * hour, amount: whole < 0n ? -part : part };
    }
  }
}
