/** The attributes that mean something to us, new names before old ones. FACTS: OpenTelemetry semantic conventions 1.44. */
const textKeys = [
  'service.name',
  'k8s.pod.name',
  'taximeter.tenant',
  'tenant.id',
  'tenant_id',
  'customer.id',
  'account.id',
  'organization.id',
  'taximeter.consumer',
  'enduser.id',
  'user.id',
  'http.request.method',
  'http.method',
  'http.route',
  'url.path',
  'http.target',
  'http.url',
  'rpc.method',
  'rpc.service',
  'rpc.system.name',
  'rpc.system',
  'db.system.name',
  'db.system',
  'messaging.destination.name',
  'faas.name',
  'server.address',
  'peer.service',
] as const;

const numberKeys = [
  'http.response.status_code',
  'http.status_code',
  'taximeter.cpu_us',
  'taximeter.mem_byte_ms',
  'taximeter.gpu_us',
  'taximeter.bytes_in',
  'http.request.size',
  'http.request.body.size',
  'http.request_content_length',
  'taximeter.bytes_out',
  'http.response.size',
  'http.response.body.size',
  'http.response_content_length',
  'taximeter.log_bytes',
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.output_tokens',
  'taximeter.retries',
  'faas.coldstart',
] as const;

export type TextKey = (typeof textKeys)[number];
export type NumberKey = (typeof numberKeys)[number];

/** A place for one attribute's value: texts first, then numbers. */
export type Slot = number;

export const TEXT_SLOTS = textKeys.length;
export const ALL_SLOTS = textKeys.length + numberKeys.length;

const slots = new Map<string, Slot>([...textKeys, ...numberKeys].map((key, slot) => [key, slot]));

export function textSlot(key: TextKey): Slot {
  return slots.get(key)!;
}

export function numberSlot(key: NumberKey): Slot {
  return slots.get(key)!;
}

export function slotOfKey(key: string): Slot | undefined {
  return slots.get(key);
}

/** The default order in which a tenant is looked for. */
export const tenantKeys = textKeys.slice(2, 8);
export const consumerKeys = textKeys.slice(8, 11);

interface HashedKey {
  readonly bytes: Buffer;
  readonly slot: Slot;
}

const byHash = new Map<number, HashedKey>();
for (const [key, slot] of slots) {
  const bytes = Buffer.from(key);
  const hash = hashOf(bytes, 0, bytes.length);
  if (byHash.has(hash)) throw new Error(`two attribute names share a hash: ${key}`);
  byHash.set(hash, { bytes, slot });
}

/** Finds the slot of an attribute name given as bytes, without making a string; -1 when we do not need it. */
export function slotOfBytes(buffer: Buffer, start: number, end: number): Slot {
  const known = byHash.get(hashOf(buffer, start, end));
  if (known === undefined || known.bytes.length !== end - start) return -1;
  for (let i = 0; i < known.bytes.length; i++) if (known.bytes[i] !== buffer[start + i]) return -1;
  return known.slot;
}

function hashOf(buffer: Buffer, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + buffer[i]!) | 0;
  return hash;
}
