import { z } from 'zod';
import { type DocumentStore, newestOf } from '../store/index.ts';
import type { IsBoundary } from './calls/forest.ts';

/** The spec of a Boundary document: whose SERVER and CONSUMER spans start calls. */
export const boundarySpec = z.strictObject({
  services: z.array(z.string().min(1)).min(1, 'name at least one service, or apply no Boundary at all'),
  countedBy: z.enum(['traces', 'logs']).optional(),
});

export type BoundarySpec = z.infer<typeof boundarySpec>;

const ASSEMBLED = 'boundary_assembled';

/** Says under which boundary calls are to be decided: a text that changes with it. */
export async function boundaryName(documents: DocumentStore): Promise<string> {
  const stored = await newestOf(documents, 'Boundary');
  return stored
    .map(({ name, version }) => `${name}@${version}`)
    .sort()
    .join(' ');
}

/** Says under which boundary all stored calls were decided; null when nothing was noted yet. */
export async function assembledBoundary(documents: DocumentStore): Promise<string | null> {
  const fact = await documents.selectFrom('fact').select('value').where('name', '=', ASSEMBLED).executeTakeFirst();
  return fact?.value ?? null;
}

/** Notes that all stored calls are decided under a boundary; only then is applying it done. */
export async function noteAssembled(documents: DocumentStore, name: string): Promise<void> {
  await documents
    .insertInto('fact')
    .values({ name: ASSEMBLED, value: name })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: name }))
    .execute();
}

/** Where calls start, and which of two sources counts them. */
export interface BoundaryRules {
  /** Whose SERVER and CONSUMER spans start calls. */
  readonly isBoundary: IsBoundary;
  /** Whose log lines are calls: of a service that traces count they are not, or each call would count twice. */
  readonly countsLogsOf: (service: string) => boolean;
}

/**
 * Reads the boundary in force: the services of all Boundary documents, but for those whose calls are counted by logs.
 * Where no document leaves a service to spans, every service is at the boundary but those.
 */
export async function boundaryInForce(documents: DocumentStore): Promise<BoundaryRules> {
  const specs = (await newestOf(documents, 'Boundary')).map(({ body }) => JSON.parse(body) as BoundarySpec);
  const named = (by: BoundarySpec['countedBy'], are: boolean) =>
    new Set(specs.filter(({ countedBy }) => (countedBy === by) === are).flatMap(({ services }) => services));
  const [byLogs, bySpans, onlyBySpans] = [named('logs', true), named('logs', false), named('traces', true)];
  return {
    isBoundary: (service) => !byLogs.has(service) && (bySpans.size === 0 || bySpans.has(service)),
    countsLogsOf: (service) => !onlyBySpans.has(service),
  };
}
