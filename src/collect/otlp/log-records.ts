import { createHash } from 'node:crypto';
import { SpanKind } from '../../model/index.ts';
import { setTime } from '../logs/log-intake.ts';
import type { LogLine } from '../logs/log-line.ts';
import { LineRecogniser } from '../logs/recognise.ts';
import type { Refusal } from '../refusal.ts';
import { Origin } from '../table/span-table.ts';
import { numberSlot, taximeterSlots, textSlot } from './attributes.ts';
import type { AttributeSlots } from './span-draft.ts';
import type { ResourceFacts, SpanIntake } from './span-intake.ts';

const methodSlots = [textSlot('http.request.method'), textSlot('http.method')];
const pathSlots = [textSlot('http.route'), textSlot('url.path'), textSlot('http.target')];
const statusSlots = [numberSlot('http.response.status_code'), numberSlot('http.status_code')];

/** Where a line's own fields go: the oldest names, so that attributes of the record come before them. */
const lineSlots = {
  method: textSlot('http.method'),
  path: textSlot('http.target'),
  route: textSlot('http.route'),
  user: textSlot('user.id'),
  tenant: textSlot('organization.id'),
  status: numberSlot('http.status_code'),
  bytesIn: numberSlot('http.request_content_length'),
  bytesOut: numberSlot('http.response_content_length'),
  cpuUs: numberSlot('taximeter.cpu_us'),
};

const names = {
  record: Buffer.from('(log record)'),
  malformed: Buffer.from('(malformed request)'),
};

/** What a decoder found in a record besides its attributes and its time, which it writes into the row. */
export interface RecordDraft {
  /** Nanoseconds in two halves, 0 for none. */
  observedLow: number;
  observedHigh: number;
  /** Whether it names the span in which it was written. */
  hasSpan: boolean;
  /** The body, when it is a text. */
  body: () => string;
}

/** What became of a record: in the table, of another kind, or refused. */
export type RecordOutcome = 'call' | 'other' | Refusal;

/**
 * Takes decoded log records into the table of spans: those that tell of a call become one.
 *
 * Holds  the same record of the same resource has the same identity, in whatever request it comes; of several in one request
 *        that are alike, each has its own, in every repetition of that request the same.
 */
export class LogRecords {
  readonly #intake: SpanIntake;
  /** How often a record came in this request. */
  readonly #alike = new Map<string, number>();
  readonly #isCounted: (service: string) => boolean;
  /** Records of this request whose service's calls are counted by traces: to have sent them is no fault. */
  elsewhere = 0;
  #recogniser: LineRecogniser | null = null;
  #resource: ResourceFacts | null = null;
  #resourceHash: Buffer = Buffer.alloc(0);

  /** Takes  isCounted: whether records of a service are calls. */
  constructor(intake: SpanIntake, isCounted: (service: string) => boolean = () => true) {
    this.#intake = intake;
    this.#isCounted = isCounted;
  }

  /** Begins a request. */
  begin(): void {
    this.#alike.clear();
    this.elsewhere = 0;
  }

  /** Takes a resource, whose attributes are in the intake's slots. Takes  raw: its attributes as they were sent. */
  resource(raw: Uint8Array | string): void {
    this.#resource = this.#intake.resource();
    this.#resourceHash = createHash('sha256').update('otlp log record').update(raw).digest();
  }

  /** Ends a record. Takes  raw: the record as it was sent, which tells it from others. */
  end(row: number, record: RecordDraft, raw: Uint8Array | string): RecordOutcome {
    const { draft, table } = this.#intake;
    const line = isRequest(draft.attributes) ? null : this.#line(record);
    if (line === null && !isRequest(draft.attributes) && !isOurs(draft.attributes)) {
      table.truncate(row);
      return 'other';
    }
    if (!this.#isCounted(table.texts.string(this.#resource!.service))) {
      this.elsewhere += 1;
      table.truncate(row);
      return 'other';
    }
    if (line === null) this.#time(row, record);
    else this.#takeLine(row, line);
    if (draft.nameEnd === draft.nameAt) this.#nameAs(line === null ? names.record : names.malformed);
    this.#identify(row, record, raw);
    draft.kind = SpanKind.SERVER;
    const refusal = this.#intake.endSpan(row, this.#resource!);
    if (refusal !== null) return refusal;
    // A record is all there is of its call: nothing that comes later will name a tenant.
    if (this.#intake.refusesUnknown && (table.tenant[row]! | table.resourceTenant[row]!) === 0) {
      table.truncate(row);
      return 'tenant_unknown';
    }
    table.origin[row] = Origin.log;
    table.isTimed[row] = line?.durationUs === undefined ? 0 : 1;
    table.isWeightKnown[row] = 1;
    return 'call';
  }

  #line(record: RecordDraft): LogLine | null {
    const text = record.body();
    if (text === '') return null;
    this.#recogniser ??= new LineRecogniser();
    return this.#recogniser.line(text);
  }

  /** A record that says nothing of its time was at least seen at one. */
  #time(row: number, record: RecordDraft): void {
    const { start, end } = this.#intake.table;
    const at = row * 2;
    if (start[at] === 0 && start[at + 1] === 0) {
      start[at] = record.observedLow;
      start[at + 1] = record.observedHigh;
    }
    end[at] = start[at]!;
    end[at + 1] = start[at + 1]!;
  }

  #takeLine(row: number, line: LogLine): void {
    const { draft, table } = this.#intake;
    setTime(table.start, row, line.tsUs);
    setTime(table.end, row, line.tsUs + (line.durationUs ?? 0));
    const { attributes } = draft;
    for (const field of ['method', 'path', 'route', 'user', 'tenant'] as const) {
      const [slot, text] = [lineSlots[field], line[field]];
      if (text !== undefined && !attributes.has(slot)) attributes.setText(slot, text);
    }
    for (const field of ['status', 'bytesIn', 'bytesOut', 'cpuUs'] as const) {
      const [slot, number] = [lineSlots[field], line[field]];
      if (number !== undefined && !attributes.has(slot)) attributes.setNumber(slot, number);
    }
  }

  #nameAs(name: Buffer): void {
    const { draft } = this.#intake;
    draft.source = name;
    draft.nameAt = 0;
    draft.nameEnd = name.length;
  }

  /** Records have no id of their own: resource and record together are it. Times and ids of a trace are part of the record. */
  #identify(row: number, record: RecordDraft, raw: Uint8Array | string): void {
    const { draft, table } = this.#intake;
    const own = createHash('sha256').update(this.#resourceHash).update(raw).digest();
    const hash = record.hasSpan ? own : this.#numbered(own);
    for (let word = 0; word < 4; word++) table.trace[row * 4 + word] = hash.readUInt32LE(word * 4);
    for (let word = 0; word < 2; word++) table.span[row * 2 + word] = hash.readUInt32LE(16 + word * 4);
    draft.hasTrace = draft.hasSpan = true;
  }

  /** Clocks of milliseconds write two calls alike. They come together, so their place among those alike tells them apart. */
  #numbered(hash: Buffer): Buffer {
    const key = hash.toString('latin1');
    const before = this.#alike.get(key) ?? 0;
    this.#alike.set(key, before + 1);
    return before === 0 ? hash : createHash('sha256').update(hash).update(String(before)).digest();
  }
}

/** An HTTP request that was answered. */
function isRequest(attributes: AttributeSlots): boolean {
  const has = (slot: number) => attributes.has(slot);
  return methodSlots.some(has) && pathSlots.some(has) && statusSlots.some(has);
}

function isOurs(attributes: AttributeSlots): boolean {
  for (let i = 0; i < taximeterSlots.length; i++) if (attributes.has(taximeterSlots[i]!)) return true;
  return false;
}
