import type { CostRow } from '../api/contract.ts';
import { attoFromText } from '../money/amount.ts';
import { microCalls, perCall } from '../money/per-call.ts';

export type CostState = CostRow['state'];

/** All rows of a view together; the digits follow the same contract as the rows themselves. */
export interface CostTotal {
  readonly callsMicro: bigint;
  readonly directAtto: bigint;
  readonly fullAtto: bigint;
  readonly directPerCallAtto: bigint | null;
  readonly fullPerCallAtto: bigint | null;
  readonly state: CostState | null;
  readonly coverage: CostRow['coverage'];
  readonly models: readonly string[];
}

/** Weakest first: a total is only as good as its weakest part. */
const STRENGTH: readonly CostState[] = ['rated', 'provisional', 'final'];

export function totalOfRows(rows: readonly CostRow[]): CostTotal {
  let callsMicro = 0n;
  let directAtto = 0n;
  let fullAtto = 0n;
  for (const row of rows) {
    callsMicro += microCalls(row.calls ?? 0);
    directAtto += attoFromText(row.direct);
    fullAtto += attoFromText(row.full);
  }
  return {
    callsMicro,
    directAtto,
    fullAtto,
    directPerCallAtto: perCall(directAtto, callsMicro),
    fullPerCallAtto: perCall(fullAtto, callsMicro),
    state: STRENGTH.find((state) => rows.some((row) => row.state === state)) ?? null,
    coverage: { weight: meanCoverage(rows, 'weight'), driver: meanCoverage(rows, 'driver') },
    models: [...new Set(rows.map((row) => row.model).filter((model) => model !== ''))].sort(),
  };
}

/** Coverage is a share of calls, so rows count by their calls; null where no row knows. */
function meanCoverage(rows: readonly CostRow[], name: 'weight' | 'driver'): number | null {
  let covered = 0;
  let calls = 0;
  for (const row of rows) {
    const share = row.coverage[name];
    if (share === null || row.calls === null) continue;
    covered += share * row.calls;
    calls += row.calls;
  }
  return calls === 0 ? null : covered / calls;
}

/** Millionths of calls as a number for display. */
export function callsFromMicro(callsMicro: bigint): number {
  return Number(callsMicro) / 1_000_000;
}
