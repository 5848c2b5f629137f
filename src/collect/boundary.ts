import { z } from 'zod';
import { type DocumentStore, newestOf } from '../store/index.ts';
import type { IsBoundary } from './calls/forest.ts';

/** The spec of a Boundary document: whose SERVER and CONSUMER spans start calls. */
export const boundarySpec = z.strictObject({
  services: z.array(z.string().min(1)).min(1, 'name at least one service, or apply no Boundary at all'),
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

/** Reads the boundary in force: the services of all Boundary documents; without one every service is at the boundary. */
export async function boundaryInForce(documents: DocumentStore): Promise<IsBoundary> {
  const stored = await newestOf(documents, 'Boundary');
  if (stored.length === 0) return () => true;
  const services = new Set(stored.flatMap((document) => (JSON.parse(document.body) as BoundarySpec).services));
  return (service) => services.has(service);
}
