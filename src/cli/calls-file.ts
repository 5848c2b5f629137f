import type { UsageReportAnswer } from '../serve/contract/usage.ts';

/** What a page of calls is written into. */
export interface CallsFile {
  write(rows: UsageReportAnswer['rows']): Promise<void>;
  /** Writes the end. */
  finish(): Promise<void>;
}
