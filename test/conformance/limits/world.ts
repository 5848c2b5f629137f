import {
  type Ask,
  type CounterStore,
  compilePolicies,
  Limiter,
  limitPolicySpec,
  planSpec,
  subjectOf,
} from '../../../src/limit/index.ts';
import { parseDocuments } from '../../../src/store/index.ts';

/** Midnight UTC of a Monday, in microseconds. */
export const START_US = Date.UTC(2026, 5, 1) * 1000;

/** A clock that a test turns. */
export class Clock {
  us = START_US;
  readonly nowUs = () => this.us;
  seconds(by: number): void {
    this.us += by * 1_000_000;
  }
}

export function policiesOf(yaml: string) {
  const plans = new Map();
  const versions = [];
  for (const document of parseDocuments(yaml)) {
    const checked = document.check<unknown>(document.kind === 'Plan' ? planSpec : limitPolicySpec);
    if ('problems' in checked) throw new Error(JSON.stringify(checked.problems));
    if (document.kind === 'Plan') plans.set(document.name, checked.value);
    else versions.push({ name: document.name, version: 1, spec: checked.value as never });
  }
  return compilePolicies(versions, plans);
}

/** `policy('p', 'per: [tenant]', 'id: a, amount: 5, ...')`: a document with limits, one a line. */
export function policy(name: string, head: string, ...limits: string[]): string {
  const lines = limits.map((limit) => `    - { ${limit} }`).join('\n');
  return `apiVersion: taximeter/v1\nkind: LimitPolicy\nmetadata: { name: ${name} }\nspec:\n  ${head}\n  limits:\n${lines}\n`;
}

export function limiterOf(store: CounterStore, clock: Clock, yaml: string, ratedCostOf = () => null as never): Limiter {
  const limiter = new Limiter({ store, nowUs: clock.nowUs, ratedCostOf, warn: () => undefined });
  limiter.usePolicies(policiesOf(yaml));
  return limiter;
}

export function ask(
  tenant: string,
  units = 1,
  more: Partial<Ask> & { consumer?: string; endpoint?: string; organisation?: string } = {},
): Ask {
  const { consumer = '', endpoint = '', organisation = '', ...rest } = more;
  const subject = subjectOf({ tenant, consumer, endpoint, organisation });
  return { subject, units, money: null, least: 0, isPeek: false, hold: null, ...rest };
}

export function hold(id: string, ttlSeconds = 60, fingerprint = ''): { hold: NonNullable<Ask['hold']> } {
  return { hold: { id, ttlUs: ttlSeconds * 1_000_000, fingerprint } };
}
