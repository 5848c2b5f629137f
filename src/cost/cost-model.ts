import { z } from 'zod';
import { drivers, isCurrencyCode, LARGEST_AMOUNT, parseDecimal } from '../model/index.ts';
import { type DocumentStore, type StoredDocument, versionsOf } from '../store/index.ts';

const text = z.string().min(1).max(500);
const values = z.union([text, z.array(text).min(1).max(1000)]);
const condition = z.union([values, z.strictObject({ not: values })]);
const columnName = z
  .string()
  .regex(/^(Tags\..{1,200}|[A-Za-z_][A-Za-z0-9_]{0,99})$/, 'must be a FOCUS column or Tags.<key>');
const services = z.array(text).min(1).max(1000).optional();

const amount = z.string().refine((value) => {
  const parsed = parseDecimal(value, 18);
  if (parsed === null || parsed === 'too large' || parsed.isRounded) return false;
  return parsed.value <= LARGEST_AMOUNT && parsed.value >= -LARGEST_AMOUNT;
}, "must be a decimal number in quotes with at most 18 decimals, such as '12000.00'");

const pool = z
  .strictObject({
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be a short name of letters, digits, dot, dash'),
    kind: z.enum(['direct', 'indirect']),
    match: z.record(columnName, condition).optional(),
    fixed: z
      .strictObject({
        amount,
        per: z.enum(['month', 'day', 'year']),
        spread: z.enum(['period', 'hours']).default('period'),
      })
      .optional(),
    split: z.strictObject({ over: z.literal('service'), by: text }).optional(),
    driver: z.enum(drivers),
    services,
  })
  .refine((value) => (value.match === undefined) !== (value.fixed === undefined), 'must have either match or fixed')
  .refine((value) => value.match === undefined || Object.keys(value.match).length > 0, 'match must name a column');

/** The spec of a CostModel document. */
export const costModelSpec = z
  .strictObject({
    currency: z.string().refine(isCurrencyCode, 'must be an ISO 4217 code such as USD'),
    basis: z.enum(['effective', 'billed', 'contracted', 'list']).default('effective'),
    pools: z.array(pool).min(1).max(500),
  })
  .superRefine((spec, context) => {
    const seen = new Set<string>();
    spec.pools.forEach(({ id }, place) => {
      if (id === 'out_of_scope')
        context.addIssue({ code: 'custom', path: ['pools', place, 'id'], message: 'is a reserved name' });
      if (seen.has(id))
        context.addIssue({ code: 'custom', path: ['pools', place, 'id'], message: `${id} is used twice` });
      seen.add(id);
    });
  });

export type CostModelSpec = z.infer<typeof costModelSpec>;
export type Pool = CostModelSpec['pools'][number];
export type Condition = z.infer<typeof condition>;

/** A version of a cost model and the stretch of time in which it is in force. */
export interface ModelInForce {
  /** `shop@3`: name and version. */
  readonly id: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly spec: CostModelSpec;
}

/**
 * Gives the cost model's versions over time.
 *
 * Takes  asOf: models as they were known on that date; none: now.
 * Gives  stretches without overlap, oldest first; none before the first effective date.
 * Holds  at any time the version with the latest effective date is in force, of equal dates the one applied last.
 */
export async function modelsInForce(documents: DocumentStore, asOf?: Date): Promise<ModelInForce[]> {
  const byStart = new Map<number, StoredDocument>();
  // Versions count per name; across names only the order in which they were applied says which is newer.
  const applied = (await versionsOf(documents, 'CostModel', asOf)).sort((a, b) => a.id - b.id);
  for (const document of applied) byStart.set(Date.parse(document.effective_from), document);
  const starts = [...byStart.keys()].sort((a, b) => a - b);
  return starts.map((fromMs, place) => {
    const document = byStart.get(fromMs)!;
    return {
      id: `${document.name}@${document.version}`,
      fromMs,
      toMs: starts[place + 1] ?? Number.MAX_SAFE_INTEGER,
      spec: costModelSpec.parse(JSON.parse(document.body)),
    };
  });
}
