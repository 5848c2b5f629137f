import { type Conversion, conversionOf, readRates } from '../../bill/index.ts';
import { storedAmount } from '../../cost/index.ts';
import { convertCostReport, convertReconcileLine } from '../../ledger/index.ts';
import { formatMoney, type TimeRange } from '../../model/index.ts';
import type { House } from '../house.ts';

/** Shows a cost report in another currency, with the rate that was used; without one asked for, as it is. */
export async function convertedCost<Report extends Parameters<typeof convertCostReport>[0]>(
  house: House,
  report: Report,
  range: TimeRange,
  to: string | undefined,
): Promise<Report & { conversion?: Mutable }> {
  if (to === undefined) return report;
  const { conversion, ...converted } = convertCostReport(
    report,
    conversionOf(await readRates(house.store.documents), report.currency, to, range),
  );
  return { ...(converted as unknown as Report), conversion: mutable(conversion) };
}

/** Shows the lines of a month in one currency: each billing currency has its rate. The residual is that of the converted lines. */
export async function convertedLines<
  Line extends { currency: string; residual: string },
  Result extends { lines: readonly Line[] },
>(
  house: House,
  result: Result,
  range: TimeRange,
  to: string | undefined,
): Promise<Result & { conversions?: Mutable[] }> {
  if (to === undefined) return result;
  const documents = await readRates(house.store.documents);
  const currencies = [...new Set(result.lines.map(({ currency }) => currency))];
  const rates = new Map(currencies.map((from) => [from, conversionOf(documents, from, to, range)]));
  const lines = result.lines.map((line) => convertReconcileLine(line, rates.get(line.currency)!));
  const residual = lines.reduce((sum, line) => sum + magnitude(storedAmount(line.residual)), 0n);
  return { ...result, lines, residual: formatMoney(residual), conversions: [...rates.values()].map(mutable) };
}

type Mutable = Omit<Conversion, 'sources'> & { sources: string[] };

function mutable(conversion: Conversion): Mutable {
  return { ...conversion, sources: [...conversion.sources] };
}

function magnitude(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}
