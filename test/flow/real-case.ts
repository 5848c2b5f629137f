import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Audit, AuditInput } from './auditor/auditor.ts';

/** A folder of ../shared/data with everything a run needs and the result that must come out. */
export interface RealCase {
  readonly name: string;
  /** Each command imports the files of one export. */
  readonly bills: readonly string[];
  readonly from: string;
  readonly to: string;
}

export const realCases: readonly RealCase[] = [
  { name: 'tricky', bills: ['bill-a.focus.csv', 'bill-b.focus.csv'], from: '2025-01-01', to: '2025-02-01' },
  { name: 'boutique', bills: ['bill-2022-08.focus.csv'], from: '2022-08-01', to: '2022-09-01' },
];

export function inputOf({ bills, from, to }: RealCase, folder: string): AuditInput {
  const text = (file: string) => readFileSync(join(folder, file), 'utf8');
  const lines = (file: string) =>
    gunzipSync(readFileSync(join(folder, file)))
      .toString()
      .trimEnd()
      .split('\n');
  return {
    traces: lines('traces.jsonl.gz'),
    metrics: lines('metrics.jsonl.gz'),
    bills: bills.map(text),
    model: text('model.yaml'),
    from,
    to,
  };
}

export function expectedOf(folder: string): Audit {
  return JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Audit;
}
