import type { ProblemDetails, StatusAnswer } from '../../../src/serve/contract/contract.ts';
import type { ReconcileAnswer } from '../../../src/serve/contract/ledger.ts';
import { decemberCost, januaryCost, PAIRS } from './figures.ts';
import { usageAnswer } from './usage.ts';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** What the fixture server answers; a test replaces single answers to tell its story. */
export interface Scene {
  status: () => Reply;
  cost: (params: URLSearchParams) => Reply;
  usage: (params: URLSearchParams) => Reply;
  reconcile: (params: URLSearchParams) => Reply;
}

export const STATUS: StatusAnswer = {
  version: '0.1.0',
  isEmpty: false,
  calls: PAIRS.reduce((sum, pair) => sum + pair.calls, 0),
  charges: 1_284,
  newestCall: '2025-01-12T23:59:41Z',
  oldestCall: '2025-01-06T00:00:04Z',
  months: ['2025-01', '2024-12'],
  models: [{ name: 'shop', version: 3, effectiveFrom: '2024-12-01T00:00:00Z' }],
  listeners: { api: 'http://127.0.0.1:4700', otlp: 'http://127.0.0.1:4318', otlpGrpc: 'http://127.0.0.1:4317' },
  isSignedIn: false,
};

export const EMPTY_STATUS: StatusAnswer = {
  ...STATUS,
  isEmpty: true,
  calls: 0,
  charges: 0,
  newestCall: null,
  oldestCall: null,
  months: [],
  models: [],
};

export function ok(body: unknown): Reply {
  return { status: 200, body };
}

export function refused(status: number, code: string, title: string, detail: string): Reply {
  const body: ProblemDetails = { type: `https://taximeter.dev/problems/${code}`, title, status, detail, code };
  return { status, body };
}

export function fullScene(): Scene {
  return {
    status: () => ok(STATUS),
    cost: (params) =>
      ok(params.get('from')?.startsWith('2024-12') ? decemberCost() : januaryCost(params.get('by') ?? '')),
    usage: (params) => ok(usageAnswer(params)),
    reconcile: (params) => ok(reconcileAnswer(params.get('period') ?? '')),
  };
}

function reconcileAnswer(period: string): ReconcileAnswer {
  const common = {
    currency: 'USD',
    billingStart: `${period}-01T00:00:00Z`,
    billingEnd: '2025-02-01T00:00:00Z',
    residual: '0.000000000000000000',
    missingHours: 0,
    missingDays: 0,
    restated: '0.000000000000000000',
    corrections: '0.000000000000000000',
    findings: [],
  };
  return {
    period,
    lateCalls: 0,
    residual: common.residual,
    lines: [
      {
        ...common,
        source: 'AWS',
        account: '123456789012',
        state: 'closed',
        billed: '1032.109563607083000000',
        amortisation: '0.520000000000000000',
        charges: '1032.629563607083000000',
        posted: '1032.629563607083000000',
      },
      {
        ...common,
        source: 'Google Cloud',
        account: '01A2B3-C4D5E6-F7A8B9',
        state: 'open',
        billed: '214.400000000000000000',
        amortisation: '-12.000000000000000000',
        charges: '202.400000000000000000',
        posted: '202.400000000000000000',
        missingHours: 3,
        findings: [
          'no charges for 3 hours of 2025-01-12; the export may still be growing',
          '2 charges without a service were matched by no pool (out of scope: 0.018920555343)',
        ],
      },
      {
        ...common,
        source: 'fixed',
        account: '',
        state: 'open',
        billed: '834.100000000000000000',
        amortisation: '0.000000000000000000',
        charges: '834.100000000000000000',
        posted: '834.100000000000000000',
      },
    ],
  };
}
