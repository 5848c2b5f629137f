import { type Conversion, convertAmount, convertParts } from '../bill/index.ts';
import { storedAmount } from '../cost/index.ts';
import { divideHalfEven, formatMoney } from '../model/index.ts';

const MONEY = /^-?\d+\.\d{18}$/;
const MONEY_PER_CALL = /^-?\d+\.\d{12}$/;
/** What is called so is the number of something, or itself a rate. */
const NO_MONEY = new Set(['rate', 'weight']);

type Amounts = Record<string, string>;

interface Report {
  readonly currency: string;
  readonly identity: object;
  readonly pools: readonly object[];
  readonly rows: readonly object[];
  readonly rated?: object | null;
  readonly states?: object | null;
}

/**
 * Converts a cost report into another currency: every amount in it, whatever it is called. Pure.
 *
 * Holds  the identity of the converted report: its four accounts and the residual add up to its bill, charges and fixed too, and rows that
 *        add up to what tenants owe still do; direct + indirect = full in every row, of what is rated too; states add up to their rows.
 */
export function convertCostReport<Given extends Report>(
  report: Given,
  conversion: Conversion,
): Given & { readonly conversion: Conversion } {
  const rate = storedAmount(conversion.rate);
  const whole = converted(report, rate) as Given;
  const identity = convertedIdentity(report.identity as Amounts, whole.identity as Amounts, rate);
  const rows = convertedRows(
    report.rows as Amounts[],
    whole.rows as Amounts[],
    rate,
    report.identity as Amounts,
    identity,
  );
  const pools = (report.pools as Amounts[]).map((pool, place) => {
    const names = ['tenants', 'idle', 'unattributed', 'out_of_scope'];
    return { ...(whole.pools[place] as Amounts), ...partsOf(pool, names, sumOf(pool, names), rate) };
  });
  const beside = { ...(whole.rated && { rated: added(whole.rated as Amounts) }), ...statesOf(report, rows, rate) };
  return { ...whole, currency: conversion.to, identity, pools, rows, ...beside, conversion };
}

/** Converts a reconciliation: lines of the currency asked from; the others keep theirs. billed + amortisation = charges still holds. */
export function convertReconcileLine<Line extends object>(line: Line, conversion: Conversion): Line {
  const rate = storedAmount(conversion.rate);
  const whole = converted(line, rate) as Amounts;
  const atto = (name: string) => storedAmount(whole[name]!);
  return {
    ...whole,
    currency: conversion.to,
    amortisation: formatMoney(atto('charges') - atto('billed')),
    residual: formatMoney(atto('charges') - atto('posted')),
  } as unknown as Line;
}

/** Every text that is written as money is money. */
function converted(value: unknown, rate: bigint): unknown {
  if (typeof value === 'string') return convertedText(value, rate);
  if (Array.isArray(value)) return value.map((each) => converted(each, rate));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, NO_MONEY.has(name) ? each : converted(each, rate)]),
  );
}

function convertedText(text: string, rate: bigint): string {
  if (MONEY.test(text)) return formatMoney(convertAmount(storedAmount(text), rate));
  return MONEY_PER_CALL.test(text) ? formatMoney(convertAmount(storedAmount(text), rate), 12) : text;
}

function convertedIdentity(given: Amounts, whole: Amounts, rate: bigint): Amounts {
  const bill = storedAmount(given.bill!);
  const accounts = ['tenants', 'idle', 'unattributed', 'out_of_scope', 'residual'];
  return { ...whole, ...partsOf(given, accounts, bill, rate), ...partsOf(given, ['charges', 'fixed'], bill, rate) };
}

function partsOf(given: Amounts, names: readonly string[], sum: bigint, rate: bigint): Amounts {
  const parts = convertParts(
    names.map((name) => storedAmount(given[name]!)),
    rate,
    convertAmount(sum, rate),
  );
  return Object.fromEntries(names.map((name, place) => [name, formatMoney(parts[place]!)]));
}

function convertedRows(
  given: readonly Amounts[],
  whole: readonly Amounts[],
  rate: bigint,
  before: Amounts,
  after: Amounts,
): Amounts[] {
  const parts = given.flatMap((row) => [row.direct!, row.indirect!].map((text) => storedAmount(text)));
  const sum = parts.reduce((total, part) => total + part, 0n);
  // Rows that are all that tenants owe add up to what that became, not to a rounding of their own.
  const isAll = sum === storedAmount(before.tenants!);
  const total = isAll ? storedAmount(after.tenants!) : convertAmount(sum, rate);
  const shares = convertParts(parts, rate, total);
  return whole.map((row, place) => {
    const [direct, indirect] = [shares[place * 2]!, shares[place * 2 + 1]!];
    const rated = row.rated as unknown as Amounts | null | undefined;
    const posted = figures(direct, indirect, row.calls as unknown as number | null) as Amounts;
    return { ...row, ...posted, ...(rated && { rated: added(rated) }) } as Amounts;
  });
}

function figures(direct: bigint, indirect: bigint, calls: number | null): Record<string, string | null> {
  const full = direct + indirect;
  const micro = calls === null ? 0n : BigInt(Math.round(calls * 1e6));
  const perCall = (amount: bigint) => (micro <= 0n ? null : formatMoney(divideHalfEven(amount, micro) * 10n ** 6n, 12));
  return {
    ...{ direct: formatMoney(direct), indirect: formatMoney(indirect), full: formatMoney(full) },
    ...{ directPerCall: perCall(direct), fullPerCall: perCall(full) },
  };
}

/** Amounts of which each was converted alone: their sum is made again. */
function added<Given extends Amounts>(amounts: Given): Given {
  return { ...amounts, full: formatMoney(sumOf(amounts, ['direct', 'indirect'])) };
}

interface State {
  readonly calls: number;
  readonly full: string;
}

/** Posted states add up to what rows were posted, and what is rated to what rows have of it. */
function statesOf({ states }: Report, rows: readonly Amounts[], rate: bigint): { states?: Record<string, State> } {
  if (!states) return {};
  const { rated, provisional, final } = states as { rated: State; provisional: State; final: State };
  const posted = rows.reduce((sum, row) => sum + storedAmount(row.full!), 0n);
  const given = [provisional, final].map(({ full }) => storedAmount(full));
  const [open, closed] = convertParts(given, rate, posted).map((part) => formatMoney(part)) as [string, string];
  const beside = rows.reduce(
    (sum, row) => sum + storedAmount((row.rated as unknown as Amounts | null)?.full ?? '0'),
    0n,
  );
  return {
    states: {
      rated: { ...rated, full: formatMoney(beside) },
      provisional: { ...provisional, full: open },
      final: { ...final, full: closed },
    },
  };
}

function sumOf(given: Amounts, names: readonly string[]): bigint {
  return names.reduce((sum, name) => sum + storedAmount(given[name]!), 0n);
}
