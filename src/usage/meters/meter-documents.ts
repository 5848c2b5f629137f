import { createHash } from 'node:crypto';
import { fail } from '../../model/index.ts';
import { applyVersions, type DocumentStore, versionsOf } from '../../store/index.ts';
import type { Meter, MeterSpec } from './meter.ts';

const KIND = 'Meter';

/** A meter is a document of the same name. No version is ever removed: where one ends, a version without a spec follows. */
const ENDED = null;

/** Gives the meters in force, by slug. */
export async function listMeters(documents: DocumentStore): Promise<Meter[]> {
  const meters = new Map<string, Meter>();
  for (const { name, version, body, applied_at } of await versionsOf(documents, KIND)) {
    const spec = JSON.parse(body) as MeterSpec | typeof ENDED;
    if (spec === ENDED) {
      meters.delete(name);
      continue;
    }
    const known = meters.get(name);
    const { id, createdAt } = known ?? { id: meterId(name, version, Date.parse(applied_at)), createdAt: applied_at };
    meters.set(name, { id, slug: name, spec, createdAt, updatedAt: applied_at });
  }
  return [...meters.values()].sort((a, b) => (a.slug < b.slug ? -1 : 1));
}

/** Fails NOT_FOUND. */
export async function findMeter(documents: DocumentStore, slugOrId: string): Promise<Meter> {
  const meters = await listMeters(documents);
  const meter = meters.find(({ slug }) => slug === slugOrId) ?? meters.find(({ id }) => id === slugOrId);
  if (!meter) throw fail('NOT_FOUND', { meter: slugOrId.slice(0, 100) });
  return meter;
}

/** Fails METER_EXISTS. */
export async function createMeter(documents: DocumentStore, slug: string, spec: MeterSpec, now: Date): Promise<Meter> {
  const meters = await listMeters(documents);
  if (meters.some((meter) => meter.slug === slug)) throw fail('METER_EXISTS', { slug });
  await apply(documents, slug, spec, now);
  return findMeter(documents, slug);
}

/** Makes a meter say something else from now on, of past events too: a meter is a question to them. Fails NOT_FOUND. */
export async function changeMeter(
  documents: DocumentStore,
  slugOrId: string,
  spec: MeterSpec,
  now: Date,
): Promise<Meter> {
  const { slug } = await findMeter(documents, slugOrId);
  await apply(documents, slug, spec, now);
  return findMeter(documents, slug);
}

/** Ends a meter. Its events stay. Fails NOT_FOUND. */
export async function endMeter(documents: DocumentStore, slugOrId: string, now: Date): Promise<void> {
  const { slug } = await findMeter(documents, slugOrId);
  await apply(documents, slug, ENDED, now);
}

async function apply(documents: DocumentStore, name: string, spec: MeterSpec | null, now: Date): Promise<void> {
  await applyVersions(documents, [{ kind: KIND, name, effectiveFromMs: 0, spec, reason: '' }], 'api', now);
}

const BASE32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A ULID that says the same at every reading: the time at which the meter was made, then a hash of which meter it is. */
function meterId(name: string, version: number, madeMs: number): string {
  const hash = createHash('sha256').update(`${version}:${name}`).digest('hex').slice(0, 20);
  let rest = (BigInt(madeMs) << 80n) | BigInt(`0x${hash}`);
  let id = '';
  for (let place = 0; place < 26; place++, rest >>= 5n) id = BASE32[Number(rest & 31n)]! + id;
  return id;
}
