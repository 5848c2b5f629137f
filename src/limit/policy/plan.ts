import { z } from 'zod';
import { parseInstant } from '../../model/index.ts';
import { instant, LARGEST_UNITS } from './policy.ts';

const name = z.string().min(1).max(200);
const count = z.number().int().min(0).max(1_000_000_000);
const amounts = z.record(name, count);
const edition = z.strictObject({
  base: count,
  perLicence: amounts.default({}),
  most: z.number().int().min(0).max(LARGEST_UNITS).optional(),
});

/**
 * The spec of a Plan document: how much a tenant may, by its edition, its licences and what it bought besides.
 *
 * From  Salesforce: base by edition + licences x per-licence + add-ons.
 */
export const planSpec = z
  .strictObject({
    editions: z.record(name, edition),
    defaultEdition: name,
    addOns: amounts.default({}),
    tenants: z
      .record(
        name,
        z.strictObject({
          edition: name,
          licences: amounts.default({}),
          addOns: amounts.default({}),
          since: instant.optional(),
        }),
      )
      .default({}),
  })
  .superRefine((spec, context) => {
    const add = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (!(spec.defaultEdition in spec.editions)) add(['defaultEdition'], 'is no edition of this plan');
    for (const [tenant, has] of Object.entries(spec.tenants)) {
      const edition = spec.editions[has.edition];
      if (edition === undefined) add(['tenants', tenant, 'edition'], `${has.edition} is no edition of this plan`);
      for (const licence of Object.keys(has.licences))
        if (edition !== undefined && !(licence in edition.perLicence))
          add(['tenants', tenant, 'licences', licence], `the edition ${has.edition} has no such licence`);
      for (const addOn of Object.keys(has.addOns))
        if (!(addOn in spec.addOns)) add(['tenants', tenant, 'addOns', addOn], 'is no add-on of this plan');
      if (amountOf(spec, has) >= LARGEST_UNITS) add(['tenants', tenant], 'is allowed too much to count exactly');
    }
  });

export type PlanSpec = z.infer<typeof planSpec>;
type Bought = Pick<PlanSpec['tenants'][string], 'edition' | 'licences' | 'addOns'>;

/**
 * Gives what a plan allows a tenant.
 *
 * Gives  base + licences x per-licence, at most the edition's most, + add-ons. A tenant that is not named has the default edition.
 */
export function planAmount(plan: PlanSpec, tenant: string): number {
  const named = Object.hasOwn(plan.tenants, tenant) ? plan.tenants[tenant] : undefined;
  return amountOf(plan, named ?? { edition: plan.defaultEdition, licences: {}, addOns: {} });
}

/** Gives the edition that a tenant is on. */
export function planEdition(plan: PlanSpec, tenant: string): string {
  return Object.hasOwn(plan.tenants, tenant) ? plan.tenants[tenant]!.edition : plan.defaultEdition;
}

function amountOf(plan: PlanSpec, { edition, licences, addOns }: Bought): number {
  const own = plan.editions[edition];
  if (own === undefined) return 0;
  const sum = (counts: Record<string, number>, each: Record<string, number>) =>
    Object.entries(counts).reduce((total, [name, count]) => total + count * (each[name] ?? 0), 0);
  return (
    Math.min(own.base + sum(licences, own.perLicence), own.most ?? Number.MAX_SAFE_INTEGER) + sum(addOns, plan.addOns)
  );
}

/** Since when a tenant has its plan, which is what anniversaries are counted from; null when that was not said. */
export function planSinceMs(plan: PlanSpec, tenant: string): number | null {
  const since = Object.hasOwn(plan.tenants, tenant) ? plan.tenants[tenant]?.since : undefined;
  if (since === undefined) return null;
  return parseInstant(since);
}
