import { checkRaw, type LetGo, rawWork, readLetGo } from '../collect/index.ts';
import { formatInstant, MILLIS_PER_HOUR, monthOf, type TimeRange } from '../model/index.ts';
import type { ColumnStore, QueryParams, Store } from '../store/index.ts';
import { type ModelInForce, modelsInForce } from './cost-model.ts';
import type { SqlPiece } from './match-sql.ts';
import { type Pool, scaledDecimal } from './pool.ts';
import { feeSums, type Quantity } from './queries.ts';
import { rulesOf } from './rule.ts';
import { modelSlice, type Slice } from './slice.ts';

/** Fees are kept in 10^-12: with weights in 10^-6 their sums are whole atto-units. */
const FEE_DIGITS = 12;

/**
 * Turns what calls said to have cost elsewhere, and vendors' price lists, into amounts: one per hour, pool and currency.
 *
 * Holds  the amount of a slice is the sum of its calls' fees x weight, so every call takes its own fees, to the last unit;
 *        a span's fee is counted by one pool only, the first that asks for its vendor.
 * Fails  RANGE_DROPPED where a price list asks for work that was let go: sums of it do not say whom it called.
 */
export async function feeSlices(
  columns: ColumnStore,
  models: readonly ModelInForce[],
  range: TimeRange,
): Promise<Slice[]> {
  const slices: Slice[] = [];
  if (!models.some(({ spec }) => spec.pools.some(({ fees }) => fees))) return slices;
  const letGo = await readLetGo(columns);
  for (const [number, model] of models.entries()) {
    const hours = {
      fromMs: wholeHour(Math.max(model.fromMs, range.fromMs)),
      toMs: wholeHour(Math.min(model.toMs, range.toMs)),
    };
    const places = [...model.spec.pools.keys()].filter((place) => model.spec.pools[place]!.fees);
    if (places.length === 0 || hours.fromMs >= hours.toMs) continue;
    if (hasPrices(model)) await checkRaw(columns, letGo, hours);
    for (const currency of await feeCurrencies(columns, letGo, model, hours)) {
      for (const place of places) {
        const name = `fees ${number} ${place} ${currency}`;
        const term = feeTerm(model, place, currency, `${number}_${place}`);
        const fees = { name, of: term };
        const sums = await feeSums(columns, letGo, hours, term);
        slices.push(...slicesOfFees(model, place, currency, fees, sums));
      }
    }
  }
  return slices;
}

function hasPrices({ spec }: ModelInForce): boolean {
  return spec.pools.some(({ fees }) => fees?.prices);
}

/**
 * Looks for fees that only raw work says.
 *
 * Gives  words that name the first of them in a range; null when there is none.
 */
export async function rawFees({ columns, documents }: Store, range: TimeRange): Promise<string | null> {
  const [said] = await columns.query<{ at: number }>(
    `SELECT toUnixTimestamp(min(start_at)) AS at FROM work
     WHERE start_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND start_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
       AND ${rawWork(await readLetGo(columns))} AND fee_pico IS NOT NULL HAVING count() > 0`,
    { from: range.fromMs, to: range.toMs },
  );
  if (said) return `a call of ${formatInstant(Number(said.at) * 1000)} says its own fee, and sums would not`;
  const priced = (await modelsInForce(documents)).filter(hasPrices);
  const [slice] = await feeSlices(columns, priced, range);
  if (slice === undefined) return null;
  return `calls of ${formatInstant(slice.chargeStartMs)} are charged by a price list of vendors, and sums would not name these`;
}

function slicesOfFees(
  model: ModelInForce,
  place: number,
  currency: string,
  fees: Quantity,
  sums: readonly { readonly hour: number; readonly amount: string }[],
): Slice[] {
  const { id } = model.spec.pools[place]!;
  const pool = { ...rulesOf(model.spec).get(id)!, quantity: fees.name, fees };
  return sums.map(({ hour, amount }) => {
    const chargeStartMs = Number(hour) * 1000;
    const { fromMs: billingStartMs, toMs: billingEndMs } = monthOf(chargeStartMs);
    const charge = { billingStartMs, billingEndMs, chargeStartMs, chargeEndMs: chargeStartMs + MILLIS_PER_HOUR };
    return { ...modelSlice(model, id, { ...charge, amountAtto: BigInt(amount), currency }), pool };
  });
}

/** The currencies in which calls of a range said fees, and the model's own. */
async function feeCurrencies(
  columns: ColumnStore,
  letGo: LetGo,
  model: ModelInForce,
  range: TimeRange,
): Promise<string[]> {
  const rows = await columns.query<{ currency: string }>(
    `SELECT DISTINCT ${currencySql} AS currency FROM work
     WHERE start_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND start_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
       AND ${rawWork(letGo)} AND fee_pico IS NOT NULL AND fee_currency IS NOT NULL`,
    { from: range.fromMs, to: range.toMs },
  );
  return [...new Set([model.spec.currency, ...rows.map((row) => row.currency)])].sort();
}

/** The three letters of a currency are kept as one number. */
const currencySql = `concat(char(bitShiftRight(assumeNotNull(fee_currency), 16)), char(bitAnd(bitShiftRight(assumeNotNull(fee_currency), 8), 255)), char(bitAnd(assumeNotNull(fee_currency), 255)))`;

function currencyNumber(currency: string): number {
  return [...currency].reduce((number, letter) => number * 256 + letter.charCodeAt(0), 0);
}

/** What a span's fee is for a pool, in 10^-12 of a currency: what it said itself, else the vendor's price for a call. */
function feeTerm(model: ModelInForce, place: number, currency: string, prefix: string): SqlPiece {
  const params: QueryParams = {};
  const value = (type: string, given: unknown) => {
    const name = `f${prefix}_${currency}_${Object.keys(params).length}`;
    params[name] = given;
    return `{${name}:${type}}`;
  };
  const own = model.spec.pools[place]!;
  const earlier = model.spec.pools.slice(0, place).filter(({ fees }) => fees);
  const isOurs = [takes(own, value), ...earlier.map((pool) => `NOT ${takes(pool, value)}`)].join(' AND ');
  const isModels = currency === model.spec.currency;
  const isInCurrency = `fee_currency = ${value('UInt64', String(currencyNumber(currency)))}${isModels ? ' OR fee_currency IS NULL' : ''}`;
  const said = `if(${isInCurrency}, assumeNotNull(fee_pico), 0)`;
  const listed = isModels ? priceSql(own, value) : '0';
  return { sql: `if(${isOurs}, if(fee_pico IS NOT NULL, ${said}, ${listed}), 0)`, params };
}

type Value = (type: string, given: unknown) => string;

function takes({ fees, services }: Pool, value: Value): string {
  const vendors = fees?.vendors ? `(${fees.vendors.map((vendor) => isPeer(vendor, value)).join(' OR ')})` : '1';
  return services ? `(${vendors} AND service IN (${value('Array(String)', services)}))` : `(${vendors})`;
}

function priceSql({ fees }: Pool, value: Value): string {
  const branches = Object.entries(fees?.prices ?? {}).map(([vendor, price]) => {
    const pico = scaledDecimal(price, FEE_DIGITS);
    return `${isPeer(vendor, value)}, toInt128(${value('String', pico.toString())})`;
  });
  return branches.length === 0 ? '0' : `if(ext_calls = 1, multiIf(${branches.join(', ')}, 0), 0)`;
}

function isPeer(vendor: string, value: Value): string {
  if (!vendor.includes('*')) return `peer = ${value('String', vendor)}`;
  return `peer LIKE ${value('String', vendor.replace(/[\\%_]/g, '\\$&').replace(/\*+/g, '%'))}`;
}

function wholeHour(instantMs: number): number {
  return Math.ceil(instantMs / MILLIS_PER_HOUR) * MILLIS_PER_HOUR;
}
