import { join } from 'node:path';
import { fail } from '../model/index.ts';
import { RowWriter, type Store } from '../store/index.ts';
import { assembledBoundary, boundaryInForce, boundaryName, noteAssembled } from './boundary.ts';
import { type EventPrivacy, EventTexts } from './events/event-privacy.ts';
import { encodeEvent } from './events/meter-event.ts';
import { type EventForm, readEvents } from './events/read-events.ts';
import type { Journal } from './journal/journal.ts';
import { Journals } from './journal/journals.ts';
import { Loader } from './load/load.ts';
import { largestBatch, readEndpoints } from './load/queries.ts';
import { largestSeenBatch } from './load/seen-file.ts';
import { LogIntake } from './logs/log-intake.ts';
import type { LogFormat } from './logs/log-line.ts';
import type { LogSource } from './logs/log-source.ts';
import { type DecodedLines, takeLines } from './logs/take-lines.ts';
import { EndpointBudget } from './naming/endpoint-budget.ts';
import { endpointRulesInForce } from './naming/endpoint-map.ts';
import { type Naming, newNaming } from './naming/naming.ts';
import { tenantRulesInForce } from './naming/tenant-map.ts';
import { LogRecords } from './otlp/log-records.ts';
import { decodeLogsJson } from './otlp/logs-json.ts';
import { type DecodedLogs, decodeLogsProtobuf } from './otlp/logs-protobuf.ts';
import { decodeMetricsJson } from './otlp/metrics-json.ts';
import { decodeMetricsProtobuf } from './otlp/metrics-protobuf.ts';
import { type OtlpSignal, readOtlpLines } from './otlp/otlp-lines.ts';
import { MalformedMessage } from './otlp/proto-reader.ts';
import { SpanIntake } from './otlp/span-intake.ts';
import { decodeTracesJson } from './otlp/traces-json.ts';
import { type Decoded, decodeTracesProtobuf } from './otlp/traces-protobuf.ts';
import { usePseudonymKey } from './privacy.ts';
import { pseudonymKey } from './pseudonym-key.ts';
import { RefusalCount } from './refusal.ts';
import type { WeightFallback } from './weight.ts';

export interface CollectorConfig {
  readonly store: Store;
  readonly folder: string;
  readonly nowMs: () => number;
  /** How long arrived data waits for more before it is loaded. */
  readonly loadEveryMs: number;
  readonly journalCapacityBytes: number;
  /** How weights are read where no threshold was sent, besides the specification. */
  readonly weightFallbacks?: readonly WeightFallback[];
  /** Names of attributes that hold the id of a request; the usual ones where it is left out. */
  readonly requestIdAttributes?: readonly string[];
  /** What is kept of the texts of events; `safe` where it is left out. */
  readonly eventPrivacy?: EventPrivacy;
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
}

/** What a sender said the body is. */
export type Encoding = 'protobuf' | 'json';

/** What has happened since the start, for /metrics and for people. */
export interface CollectorCounts {
  spans: number;
  samples: number;
  events: number;
  lines: number;
  loadedRows: number;
  refused: RefusalCount;
}

const SEGMENT_ROWS = 400_000;
const SEGMENT_BYTES = 192 << 20;
const namespace = Buffer.alloc(0);
const EVENT_NAMESPACE = namespace.toString();

/**
 * Takes in what senders send: decode, check, strip, journal, and only then answer; load in the background.
 */
export class Collector {
  readonly counts: CollectorCounts;
  /** What texts of events are kept as: questions about events must be made the same. */
  readonly eventTexts: EventTexts;
  readonly #config: CollectorConfig;
  readonly #journals: Journals;
  readonly #loader: Loader;
  /** The largest number that a batch or segment was given. */
  readonly #lastId: () => number;
  #naming: Naming = newNaming();
  #budget: EndpointBudget | null = null;
  #countsLogsOf: (service: string) => boolean = () => true;
  #spans: SpanIntake;
  #lines = new LogIntake();
  #records: LogRecords;
  #timer: NodeJS.Timeout | null = null;
  #loading: Promise<void> | null = null;
  #isClosed = false;

  private constructor(
    config: CollectorConfig,
    journals: Journals,
    loader: Loader,
    refused: RefusalCount,
    lastId: () => number,
  ) {
    this.#config = config;
    this.eventTexts = new EventTexts(config.eventPrivacy ?? 'safe');
    this.counts = { spans: 0, samples: 0, events: 0, lines: 0, loadedRows: 0, refused };
    this.#journals = journals;
    this.#spans = new SpanIntake(this.#naming, config.weightFallbacks, config.requestIdAttributes);
    this.#records = this.#newRecords();
    this.#loader = loader;
    this.#lastId = lastId;
  }

  /** Opens the journals, finishes what a crash interrupted, and begins to load. */
  static async open(config: CollectorConfig): Promise<Collector> {
    const journalFolder = join(config.folder, 'journal');
    const seenFolder = join(config.folder, 'seen');
    usePseudonymKey(pseudonymKey(config.folder));
    let lastId = Math.max(
      await largestBatch(config.store.columns),
      await Journals.largestId(journalFolder),
      await largestSeenBatch(seenFolder),
    );
    const nextId = () => ++lastId;
    const journals = await Journals.open(journalFolder, {
      segmentRows: SEGMENT_ROWS,
      segmentBytes: SEGMENT_BYTES,
      capacityBytes: config.journalCapacityBytes,
      nowMs: config.nowMs,
      nextId,
    });
    const refused = new RefusalCount();
    const loader = new Loader({
      columns: config.store.columns,
      scratch: config.store.scratch,
      seenFolder,
      nextId,
      nowMs: config.nowMs,
      warn: config.warn,
      refused: (reason, count) => refused.add(reason, count),
    });
    const boundary = await boundaryInForce(config.store.documents);
    await loader.start(boundary.isBoundary);
    const collector = new Collector(config, journals, loader, refused, () => lastId);
    await collector.applyNaming();
    await collector.applyBoundary();
    collector.#schedule();
    return collector;
  }

  get journalBytes(): number {
    return this.#journals.sizeBytes;
  }

  /**
   * Takes an OTLP trace request.
   *
   * Gives  what was accepted, after it is safe on the disk.
   * Fails  BODY_MALFORMED, JOURNAL_FULL, DISK_FULL; then nothing was accepted.
   */
  async traces(body: Buffer, encoding: Encoding): Promise<Decoded> {
    this.#spans.begin(namespace);
    const decoded = decoding(() =>
      encoding === 'json' ? decodeTracesJson(body, this.#spans) : decodeTracesProtobuf(body, this.#spans),
    );
    await this.#keepSpans(decoded);
    this.counts.spans += decoded.accepted;
    return decoded;
  }

  /** Takes an OTLP metrics request; as `traces`. */
  async metrics(body: Buffer, encoding: Encoding): Promise<Decoded> {
    const writer = new RowWriter(Math.max(1024, body.length));
    const decoded = decoding(() =>
      encoding === 'json' ? decodeMetricsJson(body, writer) : decodeMetricsProtobuf(body, writer),
    );
    await this.#keep(this.#journals.samples, writer.bytes(), decoded);
    this.counts.samples += decoded.accepted;
    return decoded;
  }

  /** Takes an OTLP logs request; as `traces`. Records that tell of no call are counted and nothing else. */
  async logs(body: Buffer, encoding: Encoding): Promise<Decoded> {
    this.#spans.begin(namespace);
    const decode = encoding === 'json' ? decodeLogsJson : decodeLogsProtobuf;
    const decoded = decoding(() => decode(body, this.#spans, this.#records));
    await this.#keepSpans(decoded);
    this.counts.lines += decoded.accepted;
    this.#countOthers(decoded);
    return decoded;
  }

  /**
   * Takes CloudEvents, all or none.
   *
   * Gives  how many, after they are safe on the disk. Which of them are repeats shows when they are loaded.
   * Fails  BODY_MALFORMED, BODY_TOO_LARGE, EVENTS_INVALID, JOURNAL_FULL, DISK_FULL; then nothing was accepted.
   */
  async events(body: Buffer, form: EventForm): Promise<number> {
    const nowMs = this.#config.nowMs();
    const events = readEvents(body, form, nowMs);
    const writer = new RowWriter(Math.max(1024, body.length));
    for (const event of events) encodeEvent(writer, this.eventTexts.event(event), EVENT_NAMESPACE, nowMs, event);
    await this.#journals.events.append(writer.bytes(), events.length);
    this.counts.events += events.length;
    return events.length;
  }

  /**
   * Takes lines of an access log.
   *
   * Takes  body: whole lines, UTF-8. head: the log's first lines, where they say how to read the others. offset: of the first
   *        line's first byte in the whole log.
   * Gives  what was accepted, and the lines (counted from 1 in this body) that were not.
   */
  async lines(
    body: Buffer,
    source: LogSource,
    format: LogFormat,
    offset: number,
    head?: string,
  ): Promise<DecodedLines> {
    const log = { source, format, offset, head, isCounted: this.#countsLogsOf(source.service) };
    const taken = takeLines(this.#lines, body, log);
    await this.#keep(this.#journals.work, this.#lines.payload(), taken);
    this.counts.lines += taken.accepted;
    return taken;
  }

  /**
   * Takes OTLP/JSON requests, one a line, traces, metrics and logs mixed, in their order.
   *
   * Gives  what was accepted, and the lines that are no such request; the others count all the same.
   */
  async otlpLines(text: string): Promise<DecodedLines> {
    const samples = new RowWriter(1024);
    this.#spans.begin(namespace);
    const { accepted, refused, malformed } = readOtlpLines(text, this.#spans.table, samples, (counted, body) =>
      this.#decodeJson(counted, body, samples),
    );
    const rows = accepted.spans + accepted.lines;
    await this.#keepSpans({ accepted: rows, refused });
    await this.#journals.samples.append(samples.bytes(), accepted.samples);
    for (const counted of ['spans', 'samples', 'lines'] as const) this.counts[counted] += accepted[counted];
    return { accepted: rows + accepted.samples, refused, malformed };
  }

  #decodeJson(counted: OtlpSignal, body: Buffer, samples: RowWriter): Decoded {
    if (counted === 'samples') return decodeMetricsJson(body, samples);
    if (counted === 'spans') return decodeTracesJson(body, this.#spans);
    const decoded = decodeLogsJson(body, this.#spans, this.#records);
    this.#countOthers(decoded);
    return decoded;
  }

  #countOthers({ others }: DecodedLogs): void {
    const { elsewhere } = this.#records;
    if (elsewhere > 0) this.counts.refused.add('counted_elsewhere', elsewhere);
    if (others > elsewhere) this.counts.refused.add('record_other', others - elsewhere);
  }

  #newRecords(): LogRecords {
    return new LogRecords(this.#spans, (service) => this.#countsLogsOf(service));
  }

  /** Waits until everything acknowledged so far is in the store: calls, minutes, samples and events. */
  async settle(): Promise<void> {
    while (this.#loading) await this.#loading;
    await this.#load('all');
  }

  /** As `settle`; what comes from now on counts as received on this day or later, whatever the clock says. */
  async settleSince(day: number): Promise<void> {
    this.#loader.acceptSince(day);
    await this.settle();
  }

  /** Decides all calls anew under the boundary that is now in force. */
  async applyBoundary(): Promise<void> {
    const { documents } = this.#config.store;
    const boundary = await boundaryInForce(documents);
    this.#countsLogsOf = boundary.countsLogsOf;
    const name = await boundaryName(documents);
    if (name === ((await assembledBoundary(documents)) ?? '')) return;
    await this.settle();
    await this.#loader.reassemble(boundary.isBoundary);
    // A crash before this line leaves the old note, and the next start or the next apply begins again.
    await noteAssembled(documents, name);
  }

  /** Names calls by the TenantMap and EndpointMap documents that are now in force; what is stored keeps its names. */
  async applyNaming(): Promise<void> {
    const { store, warn, weightFallbacks, requestIdAttributes } = this.#config;
    const [tenants, endpoints] = [
      await tenantRulesInForce(store.documents),
      await endpointRulesInForce(store.documents),
    ];
    if (tenants.ignored.length > 0)
      warn('TenantMap documents name more attributes than are read; the last ones are ignored', {
        ignored: tenants.ignored.join(', '),
      });
    this.#naming = newNaming(tenants, endpoints);
    this.#budget ??= new EndpointBudget(endpoints.limit);
    this.#budget.know(await readEndpoints(store.columns));
    this.#budget.limit = endpoints.limit;
    this.#loader.useRules({ budget: this.#budget, refusesUnknown: tenants.refusesUnknown });
    this.#spans = new SpanIntake(this.#naming, weightFallbacks, requestIdAttributes);
    this.#records = this.#newRecords();
    this.#lines = new LogIntake(this.#naming);
  }

  /** To whom the subjects of events belong, by the consumers that TenantMap documents name; by subject as it is kept. */
  get tenantsOfSubjects(): ReadonlyMap<string, string> {
    const { consumers } = this.#naming.tenants;
    return new Map([...consumers].map(([consumer, tenant]) => [this.eventTexts.subject(consumer), tenant]));
  }

  /** How many calls are counted at `other` because their tenant has too many endpoints. */
  get overflowedEndpoints(): number {
    return this.#loader.overflowedCalls;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer) clearTimeout(this.#timer);
    while (this.#loading) await this.#loading;
    await this.#saveSeen(true);
    await this.#journals.close();
  }

  async #keepSpans(decoded: Decoded): Promise<void> {
    const intake = this.#spans;
    const payload = intake.payload();
    await this.#keep(this.#journals.work, payload, decoded);
    intake.giveBack(payload);
  }

  async #keep(journal: Journal, payload: Buffer, decoded: Decoded): Promise<void> {
    await journal.append(payload, decoded.accepted);
    for (const [reason, count] of decoded.refused.byReason) this.counts.refused.add(reason, count);
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#loading ??= this.#load()
        .catch((cause: unknown) =>
          this.#config.warn('loading failed; it will be tried again', { cause: String(cause) }),
        )
        .finally(() => {
          this.#loading = null;
          this.#schedule();
        });
    }, this.#config.loadEveryMs);
    this.#timer.unref();
  }

  /** Takes  which: `all`, or without what had better wait as its trace is large. */
  async #load(which: 'all' | 'due' = 'due'): Promise<void> {
    // What waited goes first: of a span that was sent twice the first one journalled counts.
    if (which === 'all' || this.#loader.isLateDue()) {
      await this.#journals.late.seal();
      this.counts.loadedRows += await this.#loader.loadSealed(this.#journals.late);
    }
    await this.#journals.work.seal();
    this.counts.loadedRows += await this.#loader.loadSealed(
      this.#journals.work,
      which === 'all' ? undefined : this.#journals.late,
    );
    await this.#journals.samples.seal();
    this.counts.loadedRows += await this.#loader.loadSealed(this.#journals.samples);
    await this.#journals.events.seal();
    this.counts.loadedRows += await this.#loader.loadSealed(this.#journals.events);
    await this.#saveSeen(false);
  }

  /** What is not written down is read from the store at the next start: no reason to fail. */
  #saveSeen(isLast: boolean): Promise<void> {
    return this.#loader.saveSeen(this.storedUntil, isLast).catch((cause: unknown) => {
      this.#config.warn('what was seen could not be written down; the next start takes longer', {
        cause: String(cause),
      });
    });
  }

  /** Up to which number no segment waits to be stored any more, nor will. Segments are not stored in the order of their numbers. */
  get storedUntil(): number {
    const waiting = [
      this.#loader.reassembling ?? [],
      ...this.#journals.all.map(({ oldestId }) => oldestId ?? []),
    ].flat();
    return Math.min(this.#lastId(), ...waiting.map((id) => id - 1));
  }
}

function decoding<D extends Decoded>(decode: () => D): D {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof MalformedMessage) throw fail('BODY_MALFORMED', { reason: cause.message }, [], cause);
    throw cause;
  }
}
