import { formatInstant, MILLIS_PER_HOUR, monthOf, monthsOf, type TimeRange } from '../../model/index.ts';
import { nodeCharges } from './bill-compute.ts';
import { meteredCharges } from './bill-metered.ts';
import { commitmentCharge, creditCharge, supportCharge, taxCharge } from './bill-month.ts';
import { type FocusFacts, type FocusRow, focusHeader, focusLine } from './focus.ts';
import type { Simulation } from './shape.ts';
import { usageOf } from './usage.ts';

/** Yields a FOCUS bill as CSV text: the header, then each calendar month's hours and what is charged once a month. */
export function* billOf(sim: Simulation): Generator<string, void, undefined> {
  yield focusHeader();
  for (const month of monthsOf(sim)) {
    const part = { fromMs: Math.max(month.fromMs, sim.fromMs), toMs: Math.min(month.toMs, sim.toMs) };
    yield* monthLines(sim, part);
  }
}

function* monthLines(sim: Simulation, part: TimeRange): Generator<string, void, undefined> {
  const ofMonth = monthFacts(part.fromMs);
  let billedAtto = 0n;
  const line = (charge: FocusRow) => {
    billedAtto += charge.BilledCost;
    return focusLine({ ...ofMonth, ...charge });
  };
  for (let fromMs = part.fromMs; fromMs < part.toMs; fromMs += MILLIS_PER_HOUR) {
    yield hourCharges(sim, { fromMs, toMs: fromMs + MILLIS_PER_HOUR })
      .map(line)
      .join('');
  }
  yield [commitmentCharge(part), supportCharge, creditCharge].map(line).join('');
  yield line(taxCharge(billedAtto));
}

function hourCharges(sim: Simulation, hour: TimeRange): FocusRow[] {
  const period = { ChargePeriodStart: formatInstant(hour.fromMs), ChargePeriodEnd: formatInstant(hour.toMs) };
  const charges = [...nodeCharges(hour), ...meteredCharges(sim, hour, usageOf(sim, hour))];
  return charges.map((charge) => ({ ...charge, ...period }));
}

/** A charge that names no period of its own is one of the whole month. */
function monthFacts(atMs: number): FocusFacts {
  const { month, fromMs, toMs } = monthOf(atMs);
  return {
    BillingAccountId: '100200300400',
    BillingAccountName: 'Example Shop',
    BillingAccountType: 'Management Account',
    BillingCurrency: 'USD',
    BillingPeriodStart: formatInstant(fromMs),
    BillingPeriodEnd: formatInstant(toMs),
    ChargePeriodStart: formatInstant(fromMs),
    ChargePeriodEnd: formatInstant(toMs),
    InvoiceId: `INV-${month}`,
    InvoiceIssuerName: 'AWS',
    ProviderName: 'AWS',
    PublisherName: 'AWS',
    RegionId: 'eu-west-1',
    RegionName: 'EU (Ireland)',
    SubAccountId: '400300200100',
    SubAccountName: 'prod',
  };
}
