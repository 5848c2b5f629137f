import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { explainPolicies } from '../explain/explain.ts';
import { subjectOf } from '../subject.ts';
import { PoliciesByTenant } from './by-tenant.ts';
import { compilePolicies } from './compile.ts';
import { limitPolicySpec } from './policy.ts';

const limits = [{ id: 'a', amount: 1, window: { fixed: '60s' } }];

function policiesOf(matches: readonly (readonly string[] | undefined)[]) {
  const versions = matches.map((tenants, place) => {
    const spec = limitPolicySpec.parse({ match: tenants === undefined ? {} : { tenants }, limits });
    return { name: `p${place}`, version: 1, spec };
  });
  return compilePolicies(versions, new Map());
}

const glob = fc.constantFrom('a', 'b', 'ab', 'c', 'a*', '*', '*b', '__proto__');
const matches = fc.array(fc.option(fc.array(glob, { minLength: 1, maxLength: 3 }), { nil: undefined }), {
  maxLength: 8,
});

it('leaves out only policies that do not match, and keeps their order', () => {
  fc.assert(
    fc.property(
      matches,
      fc.array(fc.constantFrom('a', 'b', 'ab', 'c', 'd', '', '__proto__'), { maxLength: 8 }),
      (all, tenants) => {
        const policies = policiesOf(all);
        const byTenant = new PoliciesByTenant(policies);
        for (const tenant of tenants) {
          const subject = subjectOf({ tenant });
          const found = byTenant.of(tenant);
          expect(found.policies.filter((policy) => policy.matches(subject))).toEqual(
            policies.filter((policy) => policy.matches(subject)),
          );
          expect(byTenant.of(tenant)).toBe(found);
        }
      },
    ),
  );
});

it('asks a customer of a thousand for its own policy only', () => {
  const policies = policiesOf(Array.from({ length: 1_000 }, (_, place) => [`t${place}`]));
  const byTenant = new PoliciesByTenant(policies);
  expect(byTenant.of('t7').policies.map(({ name }) => name)).toEqual(['p7']);
  expect(byTenant.of('nobody').policies).toEqual([]);
});

it('policies of a customer each are explained without holding each limit against each', () => {
  const policies = policiesOf(Array.from({ length: 300 }, (_, place) => [`t${place}`]));
  const comparisons = vi.spyOn(JSON, 'stringify');
  const { notes } = explainPolicies(policies, null, { plans: new Set(), ratedCurrencies: new Set(), nowUs: 0 });
  const { length } = comparisons.mock.calls;
  comparisons.mockRestore();
  expect([notes, length < 10_000]).toEqual([[], true]);
});
