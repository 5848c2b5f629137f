import { storedAmount } from '../cost/index.ts';
import { formatMoney, grouped } from '../model/index.ts';
import type { LedgerSumRow } from './sum-queries.ts';

export interface Identity {
  readonly bill: string;
  readonly charges: string;
  readonly fixed: string;
  readonly tenants: string;
  readonly idle: string;
  readonly unattributed: string;
  readonly out_of_scope: string;
  readonly residual: string;
}

/** What one pool's money came to, by account. */
export interface PoolSum {
  readonly pool: string;
  readonly kind: 'direct' | 'indirect';
  readonly tenants: string;
  readonly idle: string;
  readonly unattributed: string;
  readonly out_of_scope: string;
}

const accountNames = {
  tenants: 'tenant',
  idle: 'idle',
  unattributed: 'unattributed',
  out_of_scope: 'out_of_scope',
} as const;

/** Adds up amounts. */
export function sumOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n);
}

/**
 * Holds what is to be shared out against the ledger.
 *
 * Takes  charges, fixed: the bill, from its own lines. sums: the ledger by pool and account.
 * Holds  tenants + idle + unattributed + out_of_scope + residual = charges + fixed = bill.
 * From   DESIGN, arithmetic 7
 */
export function identityOf(charges: bigint, fixed: bigint, sums: readonly LedgerSumRow[]): Identity {
  const { tenants, idle, unattributed, out_of_scope } = accountsOf(sums);
  const bill = charges + fixed;
  const residual = bill - tenants - idle - unattributed - out_of_scope;
  return formatted({ bill, charges, fixed, tenants, idle, unattributed, out_of_scope, residual });
}

/** Gives the pools in the order of the sums. */
export function poolsOf(sums: readonly LedgerSumRow[]): PoolSum[] {
  const pools = grouped(sums, ({ kind, pool }) => `${kind} ${pool}`);
  return [...pools.values()].map((rows) => ({
    pool: rows[0]!.pool,
    kind: rows[0]!.kind,
    ...formatted(accountsOf(rows)),
  }));
}

function accountsOf(sums: readonly LedgerSumRow[]): Record<keyof typeof accountNames, bigint> {
  const account = (name: keyof typeof accountNames) =>
    sumOf(sums.filter((row) => row.ledger === accountNames[name]).map((row) => storedAmount(row.amount)));
  return {
    tenants: account('tenants'),
    idle: account('idle'),
    unattributed: account('unattributed'),
    out_of_scope: account('out_of_scope'),
  };
}

function formatted<Name extends string>(amounts: Record<Name, bigint>): Record<Name, string> {
  const entries = Object.entries<bigint>(amounts).map(([name, amount]) => [name, formatMoney(amount)]);
  return Object.fromEntries(entries) as Record<Name, string>;
}
