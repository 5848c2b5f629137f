import { activeImports } from '../bill/index.ts';
import { compareUtf8, formatMoney, monthOf, type TimeRange } from '../model/index.ts';
import type { Store } from '../store/index.ts';
import { allocate } from './cost.ts';
import { type AddedModel, type ModelInForce, modelsInForce } from './cost-model.ts';
import { reach, rulesOf } from './rule.ts';
import type { Slice } from './slice.ts';
import { accountNumbers } from './slice-shares.ts';
import { slicesOf } from './slices.ts';

/** So many of the newest open billing months are compared. */
const MOST_MONTHS = 3;
const MOST_ROWS = 1000;

export interface DifferenceRow {
  readonly currency: string;
  readonly account: string;
  readonly tenant: string;
  readonly endpoint: string;
  readonly before: string;
  readonly after: string;
  readonly difference: string;
}

/** What other models would make of open periods. */
export interface ModelDifference {
  /** Null where no period is open. */
  readonly range: TimeRange | null;
  /** How many slices were compared, and of how many the shares may be others. */
  readonly slices: number;
  readonly changed: number;
  /** The largest differences first, 1000 at most; accounts other than tenants as a row each. */
  readonly rows: readonly DifferenceRow[];
  readonly rowsLeftOut: number;
}

type Sums = Map<string, { before: bigint; after: bigint }>;

/**
 * Says what versions of cost models would change if they were applied: by tenant and endpoint, in money.
 *
 * Takes  added: the versions. isOpen: whether a slice's shares may still change. now: months after it are not looked at.
 * Gives  the difference over the newest open months; nothing is posted.
 * Holds  differences of one currency add up to that of what there is to share out.
 */
export async function modelDifference(
  store: Store,
  added: readonly AddedModel[],
  isOpen: (slice: Slice) => boolean,
  now: Date,
): Promise<ModelDifference> {
  const [before, after] = [
    await modelsInForce(store.documents),
    await modelsInForce(store.documents, undefined, added),
  ];
  const range = await openRange(store, isOpen, now);
  if (range === null) return { range, slices: 0, changed: 0, rows: [], rowsLeftOut: 0 };
  const imports = await activeImports(store);
  const [old, fresh] = [new Map<string, string>(), new Map<string, string>()];
  const openSlices = async (models: readonly ModelInForce[]) =>
    (await slicesOf(store.columns, imports, models, range)).filter(isOpen);
  const [slicesBefore, slicesAfter] = [await openSlices(before), await openSlices(after)];
  for (const slice of slicesBefore) old.set(keyOf(slice), statementOf(slice, before));
  for (const slice of slicesAfter) fresh.set(keyOf(slice), statementOf(slice, after));
  const keys = new Set([...old.keys(), ...fresh.keys()]);
  const changed = new Set([...keys].filter((key) => old.get(key) !== fresh.get(key)));
  const sums: Sums = new Map();
  const isChanged = (slice: Slice) => changed.has(keyOf(slice));
  await addUp(store, slicesBefore.filter(isChanged), (sum, amount) => (sum.before += amount), sums);
  await addUp(store, slicesAfter.filter(isChanged), (sum, amount) => (sum.after += amount), sums);
  return { range, slices: keys.size, changed: changed.size, ...shown(sums) };
}

/** The newest open months of bills, with this month, as one range. */
async function openRange(store: Store, isOpen: (slice: Slice) => boolean, now: Date): Promise<TimeRange | null> {
  const bills = (await activeImports(store)).filter(({ source, account, currency, billing_start }) =>
    isOpen({ source, account, currency, billingStartMs: Number(billing_start) } as Slice),
  );
  const months = [...bills.map(({ billing_start }) => monthOf(Number(billing_start))), monthOf(now.getTime())];
  const newest = [...new Map(months.map((month) => [month.month, month])).values()]
    .sort((a, b) => a.fromMs - b.fromMs)
    .slice(-MOST_MONTHS);
  const [first, last] = [newest[0], newest.at(-1)];
  return first && last ? { fromMs: first.fromMs, toMs: last.toMs } : null;
}

async function addUp(
  store: Store,
  slices: readonly Slice[],
  add: (sum: { before: bigint; after: bigint }, amount: bigint) => void,
  sums: Sums,
): Promise<void> {
  for await (const { slice, shares } of allocate(store, slices)) {
    const { texts, accounts, tenants, endpoints, amounts } = shares;
    for (let place = 0; place < accounts.length; place++) {
      const names =
        accounts[place] === accountNumbers.tenant
          ? [texts.string(tenants[place]!), texts.string(endpoints[place]!)]
          : ['', ''];
      const key = JSON.stringify([slice.currency, accounts[place], ...names]);
      const sum = sums.get(key) ?? { before: 0n, after: 0n };
      add(sum, amounts.get(place));
      sums.set(key, sum);
    }
  }
}

const accountNames = new Map<number, string>(Object.entries(accountNumbers).map(([name, number]) => [number, name]));

function shown(sums: Sums): Pick<ModelDifference, 'rows' | 'rowsLeftOut'> {
  const different = [...sums].filter(([, { before, after }]) => before !== after);
  const size = ({ before, after }: { before: bigint; after: bigint }) =>
    after > before ? after - before : before - after;
  different.sort(([keyA, a], [keyB, b]) => (size(a) > size(b) ? -1 : size(a) < size(b) ? 1 : compareUtf8(keyA, keyB)));
  const rows = different.slice(0, MOST_ROWS).map(([key, { before, after }]) => {
    const [currency, account, tenant, endpoint] = JSON.parse(key) as [string, number, string, string];
    const amounts = { before: formatMoney(before), after: formatMoney(after), difference: formatMoney(after - before) };
    return { currency, account: accountNames.get(account)!, tenant, endpoint, ...amounts };
  });
  return { rows, rowsLeftOut: different.length - rows.length };
}

function keyOf({ source, account, currency, billingStartMs, chargeStartMs, chargeEndMs, poolId }: Slice): string {
  return JSON.stringify([source, account, currency, billingStartMs, chargeStartMs, chargeEndMs, poolId]);
}

/** What decides the shares of a slice, besides what was measured: two that say the same are not shared out to be compared. */
function statementOf({ amountAtto, poolId, pool, chargeStartMs }: Slice, models: readonly ModelInForce[]): string {
  const model = models.find(({ fromMs, toMs }) => chargeStartMs >= fromMs && chargeStartMs < toMs);
  if (pool === null || model === undefined) return JSON.stringify([String(amountAtto), poolId]);
  const rule = rulesOf(model.spec).get(poolId);
  const pools = new Map(model.spec.pools.map((own) => [own.id, own]));
  const said = rule ? reach(rule).map(({ id }) => pools.get(id)) : [];
  const fees = pool.fees ? model.spec.pools.filter((own) => own.fees) : [];
  return JSON.stringify([String(amountAtto), said, fees, model.spec.idle ?? 'show']);
}
