import { formatMoney, type Problem } from '../model/index.ts';
import type { CheckReport } from './bill-check.ts';
import { dirtKinds } from './dirt.ts';
import type { BillFormat } from './formats/translation.ts';
import { judgeBill, type Progress, type ReadFile } from './read-bill.ts';
import type { CategoryTotal, ServiceTotal } from './service-totals.ts';
import type { BillFile } from './table.ts';

/** What there is to say of an export before it is imported. */
export interface ExportReport {
  readonly format: BillFormat;
  readonly files: readonly ReadFile[];
  readonly rows: number;
  /** What an import would refuse it for: the first 100, and how many there are. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
  readonly notes: readonly string[];
  readonly groups: readonly {
    readonly source: string;
    readonly account: string;
    readonly currency: string;
    readonly rows: number;
    readonly billed: string;
    readonly effective: string;
  }[];
  readonly byService: readonly ServiceTotal[];
  readonly byCategory: readonly CategoryTotal[];
  readonly check: CheckReport;
}

/**
 * Reads one whole export and judges it; nothing is stored.
 *
 * Fails  FORMAT_UNKNOWN, FILE_UNREADABLE, FILE_DAMAGED.
 */
export async function checkExport(
  files: readonly BillFile[],
  format: 'auto' | BillFormat,
  progress?: Progress,
): Promise<ExportReport> {
  const { groups, dirt, absent: _absent, notes, ...judged } = await judgeBill(files, format, null, progress);
  const dirty = (Object.entries(dirt) as [keyof typeof dirtKinds, number][]).map(
    ([kind, count]) => `${dirtKinds[kind]}: ${count}`,
  );
  return {
    ...judged,
    notes: [...notes, ...dirty],
    groups: groups.map(({ source, account, currency, rows, billedAtto, effectiveAtto }) => ({
      ...{ source, account, currency, rows, billed: formatMoney(billedAtto), effective: formatMoney(effectiveAtto) },
    })),
  };
}
