/** A row as the store has it in force: what was sent is in the table, this is what was decided. */
export interface StoredVersion {
  readonly row: number;
  /** Six words: trace and span id of the call, zero for nobody's. */
  readonly call: Uint32Array;
  readonly isCall: number;
  readonly share: number;
  /** Numbers of texts in the table. */
  readonly tenant: number;
  readonly endpoint: number;
  readonly consumer: number;
  readonly resolver: number;
  readonly busyUs: number;
  readonly isDbCall: number;
  readonly dbUs: number;
  readonly isExternal: number;
  readonly extUs: number;
  readonly isReversed: number;
  /** Which tokens spans below it gave as well: 1 in, 2 out. */
  readonly repeatsTokens: number;
  readonly isRetry: number;
}
