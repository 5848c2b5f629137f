import type { IncomingMessage, ServerResponse } from 'node:http';
import { Call, type RouteOf } from './call.ts';
import { CallNames, pathOf } from './call-names.ts';
import { Poster } from './http/post.ts';
import { type Ask, LimitAsks, type LimitCounts } from './limits/limit-asks.ts';
import { passed, type Verdict } from './limits/verdict.ts';
import { CallTracking } from './measure/call-tracking.ts';
import { Clock } from './measure/clock.ts';
import { Outbound } from './measure/outbound.ts';
import { takeBytes } from './measure/socket-bytes.ts';
import type { MeasureOptions, TaximeterOptions } from './options.ts';
import type { Courier } from './outbox/carry.ts';
import { openCourier } from './outbox/courier.ts';
import { type Loss, Outbox } from './outbox/outbox.ts';
import { Sender } from './outbox/sender.ts';
import { ToldLosses } from './outbox/told-losses.ts';
import { Ids } from './spans/ids.ts';
import { type EndedCall, type EndedOutbound, SpanWriter } from './spans/span-writer.ts';
import { parseTraceParent, rawHeader } from './spans/trace-parent.ts';

/** How many spans went where. */
export interface SpanCounts {
  /** Ended and measured. */
  readonly calls: number;
  readonly outbound: number;
  /** Accepted by Taximeter. */
  readonly delivered: number;
  /** Taken by Taximeter, and refused there. */
  readonly rejected: number;
  /** Given up here; each was told to `onLoss`. */
  readonly lost: number;
  /** Waiting, in bytes. */
  readonly outboxBytes: number;
}

const started = Symbol('taximeter.call');
type Known = { [started]?: Call };

const MIB = 1 << 20;
/** What a process that is killed has not written. */
const WRITE_EVERY_MS = 20;
/** More losses of one kind are told together. */
const TELL_LOSSES_EVERY_MS = 10_000;

/**
 * Measures calls of this program, asks whether they may pass, and tells Taximeter of them.
 *
 * Holds  a call is on its way to the outbox by the end of the turn of the event loop in which its answer was finished, or 20 ms later where others were
 *        written just before; a thread of Node's pool writes it at once. What ends the process without a word loses no more than that; any other end nothing. A span keeps its ids on its way, so that it counts
 *        once however often it is sent. Nothing that happens to the outbox or to Taximeter is thrown here, and no call waits for it but by `admit`.
 */
export class Taximeter {
  readonly #options: TaximeterOptions;
  readonly #clock = new Clock();
  readonly #ids = new Ids();
  readonly #tracking: CallTracking;
  readonly #outbound: Outbound | null;
  readonly #writer: SpanWriter;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #courier: Courier;
  readonly #losses: ToldLosses;
  readonly #names: CallNames;
  readonly #asking: Poster;
  readonly #limits: LimitAsks | null;
  readonly #counts = { calls: 0, outbound: 0, delivered: 0, rejected: 0, lost: 0 };
  readonly #followsTrace: boolean;
  readonly #onEnd: (this: ServerResponse) => void;
  /** One for all: what it says is written before the next call ends. */
  readonly #ended: EndedCall = {
    ...{ method: '', route: '', path: '', startMs: 0, endMs: 0 },
    ...{ status: null, bytesIn: null, bytesOut: null, cpuUs: null },
  };
  #isFlushing = false;
  #isClosed = false;
  #wroteMs = 0;

  constructor(options: TaximeterOptions) {
    const { service, resource = {}, token = '', measure = {}, limits } = options;
    this.#options = options;
    this.#followsTrace = measure.followsTrace !== false;
    this.#courier = openCourier({
      url: options.otlpUrl ?? 'http://127.0.0.1:4318',
      token,
      sendsIn: options.outbox?.sendsIn ?? 'worker',
      onProblem: (message) => this.#problem(message),
    });
    this.#asking = new Poster(options.url ?? 'http://127.0.0.1:4700', token, 64);
    this.#losses = new ToldLosses(TELL_LOSSES_EVERY_MS, (loss) => harmless(() => options.onLoss?.(loss)));
    this.#names = new CallNames(options, (what, cause) => this.#untold(what, cause));
    this.#writer = new SpanWriter({ 'service.name': service, ...resource });
    this.#tracking = new CallTracking(measure.tracking ?? 'auto', Math.random);
    [this.#outbox, this.#sender] = this.#tracking.outside(() => this.#openOutbox());
    this.#outbound = this.#watchOutbound(measure);
    this.#limits = limits === undefined ? null : this.#openLimits(limits);
    process.once('exit', this.#exit);
    const taximeter = this;
    this.#onEnd = function () {
      const call = (this as Known)[started];
      if (call !== undefined) taximeter.#end(call);
    };
  }

  /** How many spans went where. */
  get counts(): SpanCounts {
    return { ...this.#counts, outboxBytes: this.#outbox.bytes };
  }

  /** What became of the asks; null where nothing is asked. */
  get limitCounts(): LimitCounts | null {
    return this.#limits?.counts ?? null;
  }

  /**
   * Begins to measure a call; its end is seen by itself.
   *
   * Takes  source: what the framework has of it. routeOf: asked at the end, when the route is known.
   */
  begin<Source>(request: IncomingMessage, response: ServerResponse, source: Source, routeOf: RouteOf<Source>): Call {
    const known = (response as Known)[started];
    if (known !== undefined) return known;
    const header = this.#followsTrace ? rawHeader(request, 'traceparent') : null;
    const parent = header === null ? null : parseTraceParent(header);
    const idAt = this.#ids.take();
    const startMs = this.#clock.now();
    const call = new Call(request, response, startMs, this.#ids.pool, idAt, parent, source, routeOf);
    (response as Known)[started] = call;
    response.on('close', this.#onEnd);
    this.#tracking.begin(call);
    return call;
  }

  /** The call that a response belongs to; null where it is not measured. */
  callOf(response: ServerResponse): Call | null {
    return (response as Known)[started] ?? null;
  }

  /** Whether calls are asked for at all. */
  get asks(): boolean {
    return this.#limits !== null;
  }

  /** Asks whether a call may pass; once, however often it is called. Takes  route: empty where it is not known yet. */
  async admit(call: Call, route: string): Promise<Verdict> {
    if (this.#limits === null || call.isAsked) return passed;
    call.isAsked = true;
    const endpoint = route === '' ? undefined : `${call.request.method} ${route}`;
    this.#names.name(call);
    const { tenant, consumer } = call;
    const said: Ask = {
      tenant,
      ...(consumer === '' ? {} : { consumer }),
      ...(endpoint === undefined ? {} : { endpoint }),
    };
    const ask = { ...said, ...this.#options.limits?.ask?.(call) };
    const { verdict, reservation } = await this.#limits.ask(ask, `${call.traceId}-${call.spanId}`);
    call.reservation = reservation;
    // The caller went away in the meantime, and nobody else would end what was taken.
    if (call.isEnded) this.#settle(call, null);
    return verdict;
  }

  /** Waits until Taximeter has heard what the calls that ended really used. Gives  whether it has, or will not, in time. */
  async settled(withinMs = 10_000): Promise<boolean> {
    return this.#limits?.settled(withinMs) ?? true;
  }

  /** Waits until calls that have ended are in the outbox, or told as lost: what then ends the program without a word loses none of them. */
  async written(): Promise<void> {
    this.#write();
    await this.#outbox.written();
  }

  /** Delivers what there is. Gives  whether nothing is left; what is left stays on the disk. */
  async flush(withinMs = 10_000): Promise<boolean> {
    this.#write();
    return this.#sender.drain(withinMs);
  }

  /** Delivers what there is and stops. What is left, and calls that end later, are delivered by the next process that opens the folder. */
  async close(withinMs = 5_000): Promise<boolean> {
    process.removeListener('exit', this.#exit);
    this.#outbound?.close();
    this.#tracking.close();
    const untilMs = performance.now() + withinMs;
    // Side by side: what one waits for in vain must not take the other's time.
    await Promise.all([this.settled(withinMs), this.flush(withinMs)]);
    // Calls that ended meanwhile.
    this.#write();
    const isDelivered = await this.#sender.close(Math.max(0, untilMs - performance.now()));
    this.#isClosed = true;
    this.#write();
    this.#courier.close();
    this.#asking.close();
    this.#losses.flush();
    return isDelivered;
  }

  /** Runs in a listener of the program's response: what is thrown here would end the program. */
  #end(call: Call): void {
    if (call.isEnded) return;
    call.isEnded = true;
    try {
      this.#tell(call);
    } catch (cause) {
      this.#untold('the end', cause);
    }
  }

  #tell(call: Call): void {
    const ended = this.#ended;
    const { response, request } = call;
    const cpuMs = this.#tracking.end(call);
    this.#names.name(call);
    ended.method = request.method ?? 'GET';
    ended.route = this.#names.routeOf(call);
    ended.path = ended.route === '' ? pathOf(request) : '';
    ended.status = response.headersSent ? response.statusCode : null;
    ended.cpuUs = cpuMs === null ? null : Math.round(cpuMs * 1000);
    ended.startMs = this.#clock.timeOfDay(call.startMs);
    const now = this.#clock.now();
    ended.endMs = this.#clock.timeOfDay(now);
    ended.bytesIn = ended.bytesOut = null;
    // Over HTTP/2 many calls share a connection.
    if (request.httpVersionMajor === 1) takeBytes(request.socket, ended);
    this.#counts.calls += 1;
    if (!this.#writer.addCall(call, ended)) {
      this.#write();
      this.#writer.addCall(call, ended);
    }
    this.#writeSoon(now);
    if (call.reservation !== null) this.#settle(call, ended.status);
  }

  #tellOutbound(ended: EndedOutbound): void {
    this.#counts.outbound += 1;
    if (!this.#writer.addOutbound(ended)) {
      this.#write();
      this.#writer.addOutbound(ended);
    }
    this.#writeSoon(this.#clock.now());
  }

  /** At the end of this turn of the event loop; where calls come thick and fast, not in every turn. */
  #writeSoon(now: number): void {
    if (this.#isClosed) this.#write();
    if (this.#isClosed || this.#isFlushing) return;
    this.#isFlushing = true;
    this.#tracking.outside(() => {
      if (now - this.#wroteMs > WRITE_EVERY_MS) setImmediate(this.#write);
      else setTimeout(this.#write, WRITE_EVERY_MS);
    });
  }

  readonly #write = (): void => {
    this.#isFlushing = false;
    const { spans } = this.#writer;
    if (spans === 0) return;
    this.#wroteMs = this.#clock.now();
    this.#clock.follow();
    const frame = this.#writer.take();
    this.#outbox.append(frame, spans, () => this.#writer.release(frame));
    this.#tracking.outside(() => this.#sender.wake());
  };

  readonly #exit = (): void => {
    this.#outbox.end();
    this.#write();
    this.#outbox.writeRest();
    this.#losses.flush();
  };

  #settle(call: Call, status: number | null): void {
    const { reservation, units, money } = call;
    if (reservation === null) return;
    call.reservation = null;
    const wasUsed = units !== null || money !== null;
    const releases = this.#options.limits?.releases ?? ((said) => said === null || said >= 500);
    const action = !wasUsed && this.#guarded('releases', () => releases(status), false) ? 'release' : 'commit';
    this.#limits?.settle(reservation, action, units, money);
  }

  /** What a program says of its calls must not end it. */
  #guarded<Value>(what: string, ask: () => Value, otherwise: Value): Value {
    try {
      return ask();
    } catch (cause) {
      this.#untold(what, cause);
      return otherwise;
    }
  }

  #untold(what: string, cause: unknown): void {
    this.#problem(`${what} of a call cannot be told: ${(cause as Error | null)?.message}`);
  }

  #openOutbox(): [Outbox, Sender] {
    const { outbox: set = {} } = this.#options;
    const outbox = Outbox.open({
      folder: set.folder ?? 'taximeter-outbox',
      mostBytes: set.mostBytes ?? 256 * MIB,
      fileBytes: set.fileBytes ?? MIB / 2,
      whenFull: set.whenFull ?? 'oldest',
      nowMs: Date.now,
      onLoss: (loss: Loss) => {
        this.#counts.lost += loss.spans ?? 0;
        this.#losses.add(loss);
      },
      onProblem: (message) => this.#problem(message),
    });
    const sender = new Sender({
      outbox,
      courier: this.#courier,
      everyMs: set.sendEveryMs ?? 1_000,
      timeoutMs: set.timeoutMs ?? 10_000,
      backoff: set.backoff ?? { baseMs: 500, mostMs: 30_000 },
      nowMs: Date.now,
      passedMs: () => performance.now(),
      random: Math.random,
      onDelivered: (spans, rejected, why) => {
        this.#counts.delivered += spans;
        this.#counts.rejected += rejected;
        if (rejected > 0) this.#problem(`Taximeter refused ${rejected} spans: ${why}`);
      },
      onProblem: (message) => this.#problem(message),
    });
    return [outbox, sender];
  }

  #watchOutbound({ outbound, tellsTraceTo }: MeasureOptions): Outbound | null {
    if (outbound === false) return null;
    return new Outbound({
      tracking: this.#tracking,
      ids: this.#ids,
      clock: this.#clock,
      tellsTrace: (host) => this.#guarded('tellsTraceTo', () => tellsTraceTo?.(host) === true, false),
      report: (ended) => this.#tellOutbound(ended),
      onProblem: (message) => this.#problem(message),
    });
  }

  #openLimits(set: NonNullable<TaximeterOptions['limits']>): LimitAsks {
    return new LimitAsks({
      poster: this.#asking,
      mode: set.mode ?? 'check',
      onFailure: set.onFailure ?? 'open',
      timeoutMs: set.timeoutMs ?? 250,
      ttlSeconds: set.ttlSeconds ?? 60,
      random: Math.random,
      onProblem: (message) => this.#problem(message),
    });
  }

  #problem(message: string): void {
    harmless(() => this.#options.onProblem?.(message));
  }
}

/** Tells a program something. That it fails at hearing it, at once or later, must not end it; there is nobody else to tell. */
function harmless(tell: () => unknown): void {
  try {
    Promise.resolve(tell()).catch(() => {});
  } catch {
    // As above.
  }
}
