import type { Charge } from './charge.ts';
import { countDirt, type DirtCounts } from './dirt.ts';
import type { FocusHeader } from './focus-header.ts';
import { chargeSlots, FocusRow } from './focus-row.ts';

/** Reads the rows of one file. */
export interface FocusReading {
  readonly header: FocusHeader;
  readonly dirt: DirtCounts;
  readonly row: FocusRow;
  readonly slots: ReturnType<typeof chargeSlots>;
}

export function focusReading(header: FocusHeader, dirt: DirtCounts): FocusReading {
  return { header, dirt, row: new FocusRow(header, dirt), slots: chargeSlots(header) };
}

/**
 * Turns one row of a FOCUS export into a charge.
 *
 * Takes  cells: the row as the file holds it. reading: where its columns are; its dirt is counted up.
 * Gives  the charge, good until the next row is read, or each thing that is wrong with the row.
 * Holds  no amount is changed except by rounding half-even to 10^-18, which is counted.
 * From   FOCUS 1.0 to 1.4, dataset Cost and Usage.
 */
export function chargeFromFocusRow(cells: readonly unknown[], reading: FocusReading): Charge | readonly string[] {
  const width = widthProblem(cells, reading.header);
  if (width) return [width];
  const { row, slots, dirt } = reading;
  row.fill(cells);
  const billedAtto = row.money(slots.billed);
  const [billingStartMs, billingEndMs] = row.period(slots.billingPeriod, false);
  const [chargeStartMs, chargeEndMs] = row.period(slots.chargePeriod, true);
  const charge: Charge = {
    source: row.source(slots.sources),
    account: row.mandatory(slots.account),
    currency: row.currency(slots.currency),
    billingStartMs,
    billingEndMs,
    chargeStartMs,
    chargeEndMs,
    billedAtto,
    effectiveAtto: row.money(slots.effective),
    listAtto: row.moneyOr(slots.list, billedAtto, 'listCostMissing'),
    contractedAtto: row.moneyOr(slots.contracted, billedAtto, 'contractedCostMissing'),
    tags: row.keep(),
    cells: row.cells,
  };
  const category = row.mandatory(slots.category);
  const isNegative = charge.billedAtto < 0n || charge.effectiveAtto < 0n;
  if (isNegative && category === 'Usage') countDirt(dirt, 'negativeUsage');
  return row.problems.length > 0 ? [...row.problems] : charge;
}

/** A row of another width was cut, or its columns have slipped: its amounts cannot be trusted. Empty trailing cells do no harm. */
function widthProblem(cells: readonly unknown[], header: FocusHeader): string | null {
  if (cells.length === header.width) return null;
  const extra = cells.slice(header.width).some((cell) => String(cell).trim() !== '');
  if (cells.length > header.width && !extra) return null;
  return `the row has ${cells.length} values where the header has ${header.width}`;
}
