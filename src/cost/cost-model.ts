import { z } from 'zod';
import { isCurrencyCode } from '../model/index.ts';
import { type DocumentStore, versionsOf } from '../store/index.ts';
import { listMeters, type Meter } from '../usage/index.ts';
import { poolProblems } from './check-pools.ts';
import { idlePolicy, metersIn, poolSpec } from './pool.ts';

const shape = z.strictObject({
  currency: z.string().refine(isCurrencyCode, 'must be an ISO 4217 code such as USD'),
  basis: z.enum(['effective', 'billed', 'contracted', 'list']).default('effective'),
  idle: idlePolicy.optional(),
  pools: z.array(poolSpec).min(1).max(500),
});

/** The spec of a CostModel document. */
export const costModelSpec = shape.superRefine((spec, context) => {
  for (const { at, message } of poolProblems(spec.pools)) context.addIssue({ code: 'custom', path: [...at], message });
});

export type CostModelSpec = z.infer<typeof costModelSpec>;

/** The meters that there are, by name. */
export type Meters = ReadonlyMap<string, Meter>;

/** A version of a cost model and the stretch of time in which it is in force. */
export interface ModelInForce {
  /** `shop@3`: name and version. */
  readonly id: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly spec: CostModelSpec;
  /** The meters that there are, by name; empty where no model asks for one. */
  readonly meters: Meters;
}

/** A version that is only thought of. */
export interface AddedModel {
  readonly name: string;
  readonly effectiveFromMs: number;
  readonly spec: unknown;
}

/**
 * Gives the cost model's versions over time.
 *
 * Takes  asOf: models as they were known on that date; none: now. added: versions that are not stored yet, in order.
 * Gives  stretches without overlap, oldest first; none before the first effective date.
 * Holds  at any time the version with the latest effective date is in force, of equal dates the one applied last.
 */
export async function modelsInForce(
  documents: DocumentStore,
  asOf?: Date,
  added: readonly AddedModel[] = [],
): Promise<ModelInForce[]> {
  const byStart = new Map<number, { readonly id: string; readonly body: string }>();
  // Versions count per name; across names only the order in which they were applied says which is newer.
  const applied = (await versionsOf(documents, 'CostModel', asOf)).sort((a, b) => a.id - b.id);
  for (const { name, version, body, effective_from } of applied)
    byStart.set(Date.parse(effective_from), { id: `${name}@${version}`, body });
  for (const { name, effectiveFromMs, spec } of added)
    byStart.set(effectiveFromMs, { id: `${name}@new`, body: JSON.stringify(spec) });
  const specs = new Map([...byStart].map(([start, { body }]) => [start, storedModel(body)]));
  const meters = await metersOf(documents, [...specs.values()]);
  const starts = [...byStart.keys()].sort((a, b) => a - b);
  return starts.map((fromMs, place) => {
    return {
      id: byStart.get(fromMs)!.id,
      fromMs,
      toMs: starts[place + 1] ?? Number.MAX_SAFE_INTEGER,
      spec: specs.get(fromMs)!,
      meters,
    };
  });
}

/** Reads a stored spec. A stored version stays what it is, also where a later Taximeter would not take it any more. */
function storedModel(body: string): CostModelSpec {
  return shape.parse(JSON.parse(body));
}

/** The meters that there are, where a model asks for any. */
async function metersOf(documents: DocumentStore, specs: readonly CostModelSpec[]): Promise<Meters> {
  const asksForAny = specs.some(({ pools }) => pools.some((pool) => metersIn(pool).length > 0));
  return new Map(asksForAny ? (await listMeters(documents)).map((meter) => [meter.slug, meter]) : []);
}
