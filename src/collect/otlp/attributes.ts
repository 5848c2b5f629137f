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
  'taximeter.call_kind',
  'graphql.operation.name',
  'graphql.document',
  'messaging.system',
  'network.protocol.name',
  'cloud.region',
  'service.version',
  'feature_flag.key',
  'feature_flag.result.variant',
  'feature_flag.variant',
  'container.name',
  'rpc.grpc.status_code',
  'rpc.response.status_code',
  'rpc.status_code',
  'taximeter.charge',
  'taximeter.charge_currency',
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
  'taximeter.records',
  'messaging.batch.message_count',
  'SampleRate',
] as const;

export type TextKey = (typeof textKeys)[number];
export type NumberKey = (typeof numberKeys)[number];

/** A place for one attribute's value: texts first, then numbers. */
export type Slot = number;

/** Places for names that an operator gives; they stand behind the texts. */
const CUSTOM_SLOTS = 16;
const FIRST_CUSTOM = textKeys.length;
/** Places for names under which requests are known. */
export const REQUEST_SLOTS = 8;
const FIRST_REQUEST = FIRST_CUSTOM + CUSTOM_SLOTS;
export const TEXT_SLOTS = FIRST_REQUEST + REQUEST_SLOTS;
/** Where a request's id is looked for unless an operator says otherwise: names of one request, not of a session or a conversation. */
export const requestIdKeys: readonly string[] = [
  'taximeter.request_id',
  'request.id',
  'http.request.header.x-request-id',
];
export const ALL_SLOTS = TEXT_SLOTS + numberKeys.length;
/** Statuses stand before the quantities. */
export const FIRST_QUANTITY = TEXT_SLOTS + 2;

const slots = new Map<string, Slot>([
  ...textKeys.map((key, slot) => [key, slot] as const),
  ...numberKeys.map((key, place) => [key, TEXT_SLOTS + place] as const),
]);

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

/** The default order in which a tenant is looked for. */
export const tenantKeys = textKeys.slice(2, 8);
export const consumerKeys = textKeys.slice(8, 11);

const PLACES = 1024;

/** The names of attributes that are read: ours, and those that an operator gives. */
export class AttributeNames {
  /** The places of the operator's names, in their order. */
  readonly custom: readonly Slot[];
  /** The places of ids of requests, in their order. */
  readonly requests: readonly Slot[];
  /** Known names by a hash of their length and three of their bytes: names that we do not need are told apart at once. */
  readonly #placed = new Int8Array(PLACES).fill(-1);
  readonly #bytesOf: Buffer[] = [];
  readonly #slots: ReadonlyMap<string, Slot>;

  constructor(custom: readonly string[] = [], requests: readonly string[] = requestIdKeys) {
    const given = custom.slice(0, CUSTOM_SLOTS);
    const fresh = given.filter((key) => !slots.has(key));
    const ids = requests.slice(0, REQUEST_SLOTS);
    const freshIds = ids.filter((key) => !slots.has(key) && !fresh.includes(key));
    this.#slots = new Map([
      ...slots,
      ...fresh.map((key, place) => [key, FIRST_CUSTOM + place] as const),
      ...freshIds.map((key, place) => [key, FIRST_REQUEST + place] as const),
    ]);
    const textSlots = (keys: readonly string[]) =>
      keys.map((key) => this.#slots.get(key)!).filter((slot) => slot < TEXT_SLOTS);
    this.custom = textSlots(given);
    this.requests = textSlots(ids);
    for (const [key, slot] of this.#slots) {
      const bytes = Buffer.from(key);
      this.#bytesOf[slot] = bytes;
      let place = placeOf(bytes, 0, bytes.length);
      while (this.#placed[place] !== -1) place = (place + 1) % PLACES;
      this.#placed[place] = slot;
    }
  }

  /** The slot of a name; -1 when we do not need it. */
  slotOf(key: string): Slot {
    return this.#slots.get(key) ?? -1;
  }

  /** The name at a slot. */
  nameAt(slot: Slot): string {
    return this.#bytesOf[slot]!.toString();
  }

  /** Finds the slot of a name given as bytes, without making a string. */
  slotOfBytes(buffer: Uint8Array, start: number, end: number): Slot {
    if (end === start) return -1;
    let place = placeOf(buffer, start, end);
    for (let slot = this.#placed[place]!; slot !== -1; place = (place + 1) % PLACES, slot = this.#placed[place]!) {
      if (isKey(this.#bytesOf[slot]!, buffer, start, end)) return slot;
    }
    return -1;
  }
}

function isKey(key: Buffer, buffer: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== buffer[start + i]) return false;
  return true;
}

function placeOf(buffer: Uint8Array, start: number, end: number): number {
  // What lies behind a short name is not its own.
  const [third, middle, last] = [
    end - start > 2 ? buffer[start + 2]! : 0,
    buffer[(start + end) >> 1]!,
    buffer[end - 1]!,
  ];
  return (Math.imul(end - start, 131) + third * 7 + middle * 31 + last * 67) & (PLACES - 1);
}
