import type { Charge } from './charge.ts';
import { countDirt, type DirtCounts } from './dirt.ts';
import type { FocusHeader } from './focus-header.ts';
import { FocusRow, type InstantCache } from './focus-row.ts';

/** What all rows of one file share. */
export interface FocusReading {
  readonly header: FocusHeader;
  readonly dirt: DirtCounts;
  readonly instants: InstantCache;
}

/**
 * Turns one row of a FOCUS export into a charge.
 *
 * Takes  cells: the row as text. reading: where its columns are; its dirt is counted up.
 * Gives  the charge, or each thing that is wrong with the row.
 * Holds  no amount is changed except by rounding half-even to 10^-18, which is counted.
 * From   FOCUS 1.0 to 1.4, dataset Cost and Usage.
 */
export function chargeFromFocusRow(cells: readonly string[], reading: FocusReading): Charge | readonly string[] {
  const width = widthProblem(cells, reading.header);
  if (width) return [width];
  const row = new FocusRow(cells, reading.header, reading.dirt, reading.instants);
  const billedAtto = row.money('BilledCost');
  const [billingStartMs, billingEndMs] = row.period('BillingPeriod');
  const [chargeStartMs, chargeEndMs] = row.period('ChargePeriod');
  const charge: Charge = {
    source: row.source(),
    account: row.mandatory('BillingAccountId'),
    currency: row.currency(),
    billingStartMs,
    billingEndMs,
    chargeStartMs,
    chargeEndMs,
    billedAtto,
    effectiveAtto: row.money('EffectiveCost'),
    listAtto: row.moneyOr('ListCost', billedAtto, 'listCostMissing'),
    contractedAtto: row.moneyOr('ContractedCost', billedAtto, 'contractedCostMissing'),
    ...row.texts(),
  };
  const category = row.mandatory('ChargeCategory');
  const isNegative = charge.billedAtto < 0n || charge.effectiveAtto < 0n;
  if (isNegative && category.toLowerCase() === 'usage') countDirt(reading.dirt, 'negativeUsage');
  return row.problems.length > 0 ? row.problems : charge;
}

/** A row of another width was cut, or its columns have slipped: its amounts cannot be trusted. Empty trailing cells do no harm. */
function widthProblem(cells: readonly string[], header: FocusHeader): string | null {
  const extra = cells.slice(header.width).some((cell) => cell.trim() !== '');
  if (cells.length >= header.width && !extra) return null;
  return `the row has ${cells.length} values where the header has ${header.width}`;
}
