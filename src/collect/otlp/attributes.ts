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
  'container.name',
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

/** The attributes of our own. */
export const taximeterSlots: readonly Slot[] = [...slots].flatMap(([key, slot]) =>
  key.startsWith('taximeter.') ? [slot] : [],
);

export function slotOfKey(key: string): Slot | undefined {
  return slots.get(key);
}

/** The default order in which a tenant is looked for. */
export const tenantKeys = textKeys.slice(2, 8);
export const consumerKeys = textKeys.slice(8, 11);

/** Known names by a hash of their length and three of their bytes: names that we do not need are told apart at once. */
const PLACES = 1024;
const placed = new Int8Array(PLACES).fill(-1);
const bytesOfSlot: Buffer[] = [];
for (const [key, slot] of slots) {
  const bytes = Buffer.from(key);
  bytesOfSlot[slot] = bytes;
  let place = placeOf(bytes, 0, bytes.length);
  while (placed[place] !== -1) place = (place + 1) % PLACES;
  placed[place] = slot;
}

/** Finds the slot of an attribute name given as bytes, without making a string; -1 when we do not need it. */
export function slotOfBytes(buffer: Uint8Array, start: number, end: number): Slot {
  if (end === start) return -1;
  let place = placeOf(buffer, start, end);
  for (let slot = placed[place]!; slot !== -1; place = (place + 1) % PLACES, slot = placed[place]!) {
    if (isKey(bytesOfSlot[slot]!, buffer, start, end)) return slot;
  }
  return -1;
}

function isKey(key: Buffer, buffer: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== buffer[start + i]) return false;
  return true;
}

function placeOf(buffer: Uint8Array, start: number, end: number): number {
  const [third, middle, last] = [buffer[start + 2] ?? 0, buffer[(start + end) >> 1]!, buffer[end - 1]!];
  return (Math.imul(end - start, 131) + third * 7 + middle * 31 + last * 67) & (PLACES - 1);
}
