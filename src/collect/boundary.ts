import { z } from 'zod';
import { type DocumentStore, newestOf } from '../store/index.ts';
import type { IsBoundary } from './assemble.ts';

/** The spec of a Boundary document: whose SERVER and CONSUMER spans start calls. */
export const boundarySpec = z.strictObject({
  services: z.array(z.string().min(1)).min(1, 'name at least one service, or apply no Boundary at all'),
});

export type BoundarySpec = z.infer<typeof boundarySpec>;

/** Reads the boundary in force: the services of all Boundary documents; without one every service is at the boundary. */
export async function boundaryInForce(documents: DocumentStore): Promise<IsBoundary> {
  const stored = await newestOf(documents, 'Boundary');
  if (stored.length === 0) return () => true;
  const services = new Set(stored.flatMap((document) => (JSON.parse(document.body) as BoundarySpec).services));
  return (service) => services.has(service);
}
