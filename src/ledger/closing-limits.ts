import { storedAmount } from '../cost/index.ts';
import { type BillingMonth, type Driver, MILLIS_PER_MINUTE, type TimeRange } from '../model/index.ts';
import type { ColumnStore } from '../store/index.ts';
import { billOfRow } from './bill-key.ts';
import { depends, measuredShares } from './call-queries.ts';
import { type UnattributedRow, unattributedByBill } from './sum-queries.ts';

/** How much of a bill may be on weak ground when it is closed, as shares from 0 to 1. */
export interface ClosingLimits {
  readonly maxUnattributed?: number | undefined;
  readonly minCoverage?: number | undefined;
}

/** What is worth a warning where nobody set a limit. */
const USUAL: Required<ClosingLimits> = { maxUnattributed: 0.05, minCoverage: 0.9 };

/** How well a bill is founded. Null is unknown: nothing was posted, nobody called, or no driver has to be measured. */
export interface Foundation {
  /** Of the amounts posted, credits counted as amounts: what stands in `unattributed`. */
  readonly unattributed: number | null;
  /** Of the calls: those with every driver measured. Whether weights are known is not asked: who does not sample need not say so. */
  readonly coverage: number | null;
}

export interface LimitFinding {
  readonly message: string;
  /** Whether a limit was set that forbids it; else it is only worth a word. */
  readonly isForbidden: boolean;
}

/** Says where a bill is beyond the limits. What is unknown is beyond none. */
export function limitFindings(foundation: Foundation, limits: ClosingLimits): LimitFinding[] {
  const { unattributed, coverage } = foundation;
  const most = limits.maxUnattributed ?? USUAL.maxUnattributed;
  const least = limits.minCoverage ?? USUAL.minCoverage;
  return [
    {
      isBeyond: unattributed !== null && unattributed > most,
      message: `${percent(unattributed)} is unattributed, more than ${percent(most)}`,
      isForbidden: limits.maxUnattributed !== undefined,
    },
    {
      isBeyond: coverage !== null && coverage < least,
      message: `the drivers of only ${percent(coverage)} of the calls were measured, less than ${percent(least)}`,
      isForbidden: limits.minCoverage !== undefined,
    },
  ].flatMap(({ isBeyond, message, isForbidden }) => (isBeyond ? [{ message, isForbidden }] : []));
}

/** Measures how well the posted bills of a month are founded; by bill key. */
export async function foundations(columns: ColumnStore, month: BillingMonth): Promise<Map<string, Foundation>> {
  const found = new Map<string, Foundation>();
  for (const row of await unattributedByBill(columns, month)) {
    const key = billOfRow({ ...row, billing_start: row.billing_start * 1000 });
    found.set(key, { unattributed: shareOf(row), coverage: await coverageOf(columns, row) });
  }
  return found;
}

async function coverageOf(columns: ColumnStore, row: UnattributedRow): Promise<number | null> {
  const drivers = depends(row.drivers as Driver[]);
  if (drivers.length === 0) return null;
  const range: TimeRange = {
    fromMs: Math.floor((row.charge_from * 1000) / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE,
    toMs: Math.ceil((row.charge_to * 1000) / MILLIS_PER_MINUTE) * MILLIS_PER_MINUTE,
  };
  const [covered] = (await measuredShares(columns, range, [], drivers, 'UTC'))?.values() ?? [];
  return covered ?? null;
}

function shareOf({ unattributed, amount }: UnattributedRow): number | null {
  const whole = storedAmount(amount);
  return whole === 0n ? null : Number((storedAmount(unattributed) * 1_000_000n) / whole) / 1e6;
}

function percent(share: number | null): string {
  return `${Number(((share ?? 0) * 100).toFixed(2))} %`;
}
