import { activeImports } from '../bill/index.ts';
import {
  accountNumbers,
  type ChargeRow,
  type CostModelSpec,
  chargeRows,
  FIXED_SOURCE,
  modelsInForce,
  type SliceShares,
  shareOut,
  storedAmount,
} from '../cost/index.ts';
import { type BillingMonth, fail, formatInstant, formatMoney, grouped, WEIGHT_ONE } from '../model/index.ts';
import { type Store, type StoredImport, Texts } from '../store/index.ts';
import { billOfRow, billOfSlice } from './bill-key.ts';
import { sumOf } from './identity.ts';
import { readPostedShares } from './posted-shares.ts';
import { closedPeriods, type PostedSlice, postedOfMonth } from './queries.ts';
import { EVER } from './reconcile.ts';

/** Columns of FOCUS 1.3, then ours. */
export const allocatedColumns = [
  ...['ProviderName', 'BillingAccountId', 'BillingCurrency', 'BillingPeriodStart', 'BillingPeriodEnd'],
  ...['ChargePeriodStart', 'ChargePeriodEnd', 'ChargeCategory', 'ChargeClass', 'ChargeDescription', 'ChargeFrequency'],
  ...[
    'ServiceCategory',
    'ServiceName',
    'SubAccountId',
    'ResourceId',
    'ResourceName',
    'RegionId',
    'SkuId',
    'SkuPriceId',
  ],
  ...['InvoiceId', 'Tags', 'BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost'],
  ...['AllocatedMethodId', 'AllocatedMethodDetails', 'AllocatedResourceId', 'AllocatedResourceName', 'AllocatedTags'],
  ...['x_OriginChargeId', 'x_Account', 'x_Pool', 'x_Restates'],
] as const;
export type AllocatedCharge = Readonly<Record<(typeof allocatedColumns)[number], string>>;

const costs = {
  BilledCost: 'billed',
  EffectiveCost: 'effective',
  ListCost: 'list',
  ContractedCost: 'contracted',
} as const;
type CostName = keyof typeof costs;
const basisColumn = {
  billed: 'BilledCost',
  effective: 'EffectiveCost',
  list: 'ListCost',
  contracted: 'ContractedCost',
} as const;

/** A charge that is shared out: of a bill, a fixed amount, or what a closed bill changed by. */
interface Origin {
  readonly id: string;
  readonly columns: Readonly<Partial<Record<(typeof allocatedColumns)[number], string>>>;
  readonly costs: Readonly<Record<CostName, bigint>>;
}

/** Whoever has a share of a slice. */
interface Taker {
  readonly account: string;
  readonly tenant: string;
  readonly endpoint: string;
  weight: bigint;
  amount: bigint;
}

/**
 * Writes the charges of a month's books split over those who caused them, as the split cost allocation of FOCUS 1.3.
 *
 * Takes  byEndpoint: a row for each endpoint of a tenant; else one for each tenant.
 * Gives  a row per charge and taker; every row names its charge and how it was split.
 * Holds  the rows of a charge add up to it in each of its four costs; those of a taker to what the ledger holds for him, in the cost that
 *        the model shares out.
 * Fails  PERIOD_UNBALANCED while something of the month is not allocated.
 */
export async function* allocatedCharges(
  store: Store,
  month: BillingMonth,
  byEndpoint: boolean,
): AsyncGenerator<AllocatedCharge> {
  const posted = await postedOfMonth(store.columns, month, FIXED_SOURCE);
  const specs = await modelSpecs(store);
  const origins = await originsOf(store, posted, specs);
  const texts = new Texts();
  for await (const { posted: own, shares } of readPostedShares(store.columns, posted, texts)) {
    const basis = basisColumn[specs.get(own.slice.model)?.basis ?? 'effective'];
    const of = origins.get(keyOf(own)) ?? [madeUp(own)];
    if (sumOf(of.map((origin) => origin.costs[basis])) !== own.slice.amountAtto) {
      const { source, account, poolId, chargeStartMs } = own.slice;
      const message = `${source} ${account}: pool ${poolId} of ${formatInstant(chargeStartMs)} is not posted as it is charged now`;
      throw fail('PERIOD_UNBALANCED', { period: month.month }, [{ message }]);
    }
    yield* split(own, of, basis, takersOf(shares, byEndpoint));
  }
}

function* split(own: PostedSlice, origins: readonly Origin[], basis: CostName, takers: readonly Taker[]) {
  const { slice } = own;
  const weights = weightsOf(takers);
  const left = takers.map(({ amount }) => amount);
  const whole = sumOf(weights);
  for (const [place, origin] of origins.entries()) {
    const isLast = place === origins.length - 1;
    const parts = Object.fromEntries(
      (Object.keys(costs) as CostName[]).map((name) => [name, shareOut(origin.costs[name], weights)]),
    ) as Record<CostName, bigint[]>;
    // The last charge takes the last units, so that both the charges and the takers add up.
    if (isLast) parts[basis] = [...left];
    for (const [at, part] of parts[basis].entries()) left[at]! -= part;
    for (const [at, taker] of takers.entries()) {
      if (!isLast && (Object.keys(costs) as CostName[]).every((name) => parts[name][at] === 0n)) continue;
      yield row(own, origin, taker, {
        ratio: Number((weights[at]! * 10n ** 15n) / whole) / 1e15,
        amounts: (name) => formatMoney(parts[name][at]!),
        unit: slice.driver,
      });
    }
  }
}

function row(
  { slice }: PostedSlice,
  origin: Origin,
  taker: Taker,
  how: { ratio: number; amounts: (name: CostName) => string; unit: string },
): AllocatedCharge {
  const name =
    taker.account === 'tenant' ? [taker.tenant, taker.endpoint].filter((text) => text !== '').join(' ') : taker.account;
  const element = {
    AllocatedRatio: how.ratio,
    ...(how.unit === '' ? {} : { UsageUnit: how.unit, UsageQuantity: Number(taker.weight) / WEIGHT_MICRO }),
  };
  const tags =
    taker.account === 'tenant'
      ? { tenant: taker.tenant, ...(taker.endpoint === '' ? {} : { endpoint: taker.endpoint }) }
      : { account: taker.account };
  const own: Partial<AllocatedCharge> = {
    ProviderName: slice.source,
    BillingAccountId: slice.account,
    BillingCurrency: slice.currency,
    BillingPeriodStart: formatInstant(slice.billingStartMs),
    BillingPeriodEnd: formatInstant(slice.billingEndMs),
    ChargePeriodStart: formatInstant(slice.chargeStartMs),
    ChargePeriodEnd: formatInstant(slice.chargeEndMs),
    BilledCost: how.amounts('BilledCost'),
    EffectiveCost: how.amounts('EffectiveCost'),
    ListCost: how.amounts('ListCost'),
    ContractedCost: how.amounts('ContractedCost'),
    AllocatedMethodId: `taximeter:${slice.model}:${slice.poolId}`,
    AllocatedMethodDetails: JSON.stringify({ Elements: [element] }),
    AllocatedResourceId: name,
    AllocatedResourceName: name,
    AllocatedTags: JSON.stringify(tags),
    x_OriginChargeId: origin.id,
    x_Account: taker.account,
    x_Pool: slice.poolId,
    x_Restates: slice.restatesMs === undefined ? '' : formatInstant(slice.restatesMs),
  };
  return Object.fromEntries(
    allocatedColumns.map((column) => [column, own[column] ?? origin.columns[column] ?? '']),
  ) as AllocatedCharge;
}

const WEIGHT_MICRO = Number(WEIGHT_ONE);

/** By what they have; where that is nothing or of both signs, by the driver; where there is none either, all to the first. */
function weightsOf(takers: readonly Taker[]): bigint[] {
  const amounts = takers.map(({ amount }) => (amount < 0n ? -amount : amount));
  const isOneWay = takers.every(({ amount }) => amount >= 0n) || takers.every(({ amount }) => amount <= 0n);
  if (isOneWay && amounts.some((amount) => amount > 0n)) return amounts;
  const weights = takers.map(({ weight }) => weight);
  return weights.some((weight) => weight > 0n) ? weights : takers.map((_, place) => (place === 0 ? 1n : 0n));
}

function takersOf(shares: SliceShares, byEndpoint: boolean): Taker[] {
  const names = Object.keys(accountNumbers);
  const takers = new Map<string, Taker>();
  for (let place = 0; place < shares.accounts.length; place++) {
    const account = names[shares.accounts[place]! - 1]!;
    const tenant = shares.texts.string(shares.tenants[place]!);
    const endpoint = byEndpoint ? shares.texts.string(shares.endpoints[place]!) : '';
    const key = JSON.stringify([account, tenant, endpoint]);
    const taker = takers.get(key) ?? { account, tenant, endpoint, weight: 0n, amount: 0n };
    taker.weight += shares.weights.get(place);
    taker.amount += shares.amounts.get(place);
    takers.set(key, taker);
  }
  return [...takers.values()];
}

/** The models that anything may have been posted by: those of now, and those of each closing. */
async function modelSpecs(store: Store): Promise<ReadonlyMap<string, CostModelSpec>> {
  const moments = new Set((await closedPeriods(store.documents)).map(({ closed_at }) => closed_at));
  const specs = new Map<string, CostModelSpec>();
  for (const at of [...moments].map((moment) => new Date(moment)).concat([undefined as unknown as Date]))
    for (const { id, spec } of await modelsInForce(store.documents, at)) specs.set(id, spec);
  return specs;
}

/** The charges of slices: of closed bills those that they were closed with. */
async function originsOf(
  store: Store,
  posted: readonly PostedSlice[],
  specs: ReadonlyMap<string, CostModelSpec>,
): Promise<ReadonlyMap<string, Origin[]>> {
  const bills = new Set(posted.map(({ slice }) => billOfSlice(slice)));
  const imports = await importsOf(store, bills);
  const first = [...specs.values()][0];
  const nothing: CostModelSpec = { currency: first?.currency ?? '', basis: first?.basis ?? 'effective', pools: [] };
  const origins = new Map<string, Origin[]>();
  for (const model of new Set(posted.map(({ slice }) => slice.model))) {
    const wanted = new Set(
      posted.filter(({ slice }) => slice.model === model && slice.restatesMs === undefined).map(keyOf),
    );
    for (const charge of await chargeRows(store.columns, imports, specs.get(model) ?? nothing, EVER)) {
      const key = keyOfCharge(charge, model);
      if (wanted.has(key)) origins.set(key, [...(origins.get(key) ?? []), originOf(charge)]);
    }
  }
  return origins;
}

async function importsOf(store: Store, bills: ReadonlySet<string>): Promise<StoredImport[]> {
  const closed = grouped(await closedPeriods(store.documents), ({ closed_at }) => closed_at);
  const now = await activeImports(store);
  const closedBills = new Set([...closed.values()].flat().map(billOfRow));
  const imports = now.filter((row) => bills.has(billOfRow(row)) && !closedBills.has(billOfRow(row)));
  for (const [at, periods] of closed) {
    const own = new Set(periods.map(billOfRow).filter((bill) => bills.has(bill)));
    if (own.size === 0) continue;
    imports.push(...(await activeImports(store, new Date(at))).filter((row) => own.has(billOfRow(row))));
  }
  return imports;
}

function originOf(charge: ChargeRow): Origin {
  return {
    id: `${charge.import_id}:${charge.line}`,
    columns: { ...charge.columns, Tags: Object.keys(charge.tags).length === 0 ? '' : JSON.stringify(charge.tags) },
    costs: {
      BilledCost: storedAmount(charge.billed),
      EffectiveCost: storedAmount(charge.effective),
      ListCost: storedAmount(charge.list),
      ContractedCost: storedAmount(charge.contracted),
    },
  };
}

/** What no line of a bill says: a fixed amount of the model, or what a closed bill changed by. */
function madeUp({ slice, id }: PostedSlice): Origin {
  const amount = slice.amountAtto;
  const isRestated = slice.restatesMs !== undefined;
  return {
    id: id.toLowerCase(),
    columns: {
      ChargeCategory: isRestated ? 'Adjustment' : 'Usage',
      ChargeClass: isRestated ? 'Correction' : '',
      ChargeDescription: isRestated ? 'what a closed billing period changed by' : `fixed amount of ${slice.poolId}`,
      ServiceName: slice.poolId,
    },
    costs: { BilledCost: amount, EffectiveCost: amount, ListCost: amount, ContractedCost: amount },
  };
}

function keyOf({ slice }: PostedSlice): string {
  const { chargeStartMs, chargeEndMs, poolId, model, restatesMs = 0 } = slice;
  return JSON.stringify([billOfSlice(slice), chargeStartMs, chargeEndMs, poolId, model, restatesMs]);
}

function keyOfCharge(charge: ChargeRow, model: string): string {
  const bill = billOfRow({ ...charge, billing_start: Number(charge.billing_start) * 1000 });
  return JSON.stringify([
    bill,
    Number(charge.charge_start) * 1000,
    Number(charge.charge_end) * 1000,
    charge.pool,
    model,
    0,
  ]);
}
