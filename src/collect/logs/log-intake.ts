import { hash } from 'node:crypto';
import { SpanKind, UNKNOWN_TENANT } from '../../model/index.ts';
import { Texts } from '../../store/index.ts';
import { EndpointNames } from '../endpoint.ts';
import { type Naming, newNaming } from '../naming/naming.ts';
import { safeConsumer, safeLabel } from '../privacy.ts';
import { DerivedTexts } from '../table/derived-texts.ts';
import { FrameWriter } from '../table/frame.ts';
import { measures, Origin, SpanTable } from '../table/span-table.ts';
import { LONGEST_LINE, type LogLine } from './log-line.ts';
import { type LogSource, tenantText } from './log-source.ts';
import { ABSENT, type PlainLine } from './plain-line.ts';

const LONGEST_TENANT = 256;
const MOST_TEXTS = 100_000;
const MOST_TEXT_BYTES = 32 << 20;
const MOST_PATHS = 50_000;
const MOST_PATH_CHARACTERS = 8 << 20;
/** Longer paths are worked out each time: they hardly come twice. */
const LONGEST_PATH = 512;
/** Lines are put together by the stretch of the log in which they begin: such a stretch is what a trace is for spans. */
const STRETCH_BYTES = 65_536;
/** How much of a line tells it from another one at the same place of another log. */
const TOLD_BY = 64;
const GOLDEN = 0x9e3779b1;
const PRIME = 0x01000193;
const FIRST_SEED = 0x811c9dc5;
const SECOND_SEED = 0x9e3779b9;

const bytesIn = measures.indexOf('bytes_in');
const bytesOut = measures.indexOf('bytes_out');
const cpu = measures.indexOf('cpu_us');
const records = measures.indexOf('records');

/**
 * Takes the lines of access logs into a table: each is a call of its own.
 *
 * Holds  the same line at the same place of the same log has the same identity, whatever the file is called now.
 */
export class LogIntake {
  readonly table = new SpanTable(1024);
  readonly #frames = new FrameWriter(this.table);
  readonly #consumers = new DerivedTexts(this.table.texts, safeConsumer);
  readonly #tenants: DerivedTexts;
  readonly #labels = new DerivedTexts(this.table.texts, safeLabel);
  readonly #paths = new Map<string, number>();
  #pathCharacters = 0;
  readonly #endpoints: EndpointNames;
  readonly #naming: Naming;
  /** Method and path of plain lines, and of each the number of its endpoint plus one. */
  readonly #calls = new Texts();
  #callEndpoints = new Uint32Array(1024);
  readonly #call = Buffer.alloc(LONGEST_PATH * 2);
  readonly #stretch = new Uint32Array(4);
  #stretchNumber = -1;
  #source: LogSource | null = null;
  /** What all lines of the source have in common, as numbers of texts. */
  #ofSource = { service: 0, tenant: 0, resolver: 0, rest: 0 };

  constructor(naming: Naming = newNaming()) {
    this.#naming = naming;
    this.#tenants = new DerivedTexts(this.table.texts, (tenant) =>
      shortened(safeConsumer(naming.tenants.renamed(tenant))),
    );
    this.#endpoints = new EndpointNames(this.table.texts, naming);
  }

  /** Begins a request. */
  begin(): void {
    this.table.truncate(0);
    const { texts } = this.table;
    this.#source = null;
    const isSmall = texts.count < MOST_TEXTS && texts.sizeBytes < MOST_TEXT_BYTES && this.#remembersCalls;
    if (isSmall && this.#paths.size < MOST_PATHS && this.#pathCharacters < MOST_PATH_CHARACTERS) return;
    texts.clear();
    this.#labels.clear();
    this.#pathCharacters = 0;
    this.#consumers.clear();
    this.#tenants.clear();
    this.#paths.clear();
    this.#calls.clear();
    this.#callEndpoints.fill(0);
    this.#endpoints.clear();
  }

  get #remembersCalls(): boolean {
    return this.#calls.count < MOST_PATHS && this.#calls.sizeBytes < MOST_PATH_CHARACTERS;
  }

  /** The accepted rows as a journal payload, a buffer of its own. */
  payload(): Buffer {
    return this.#frames.payload();
  }

  /**
   * Adds a line.
   *
   * Takes  offset: of its first byte in the log, after decompression. raw: the line itself.
   * Gives  false when it is refused because nobody knows its tenant.
   */
  add(line: LogLine, source: LogSource, offset: number, raw: string): boolean {
    const { table } = this;
    const { texts } = table;
    const row = table.reserve(1);
    this.#begin(row, source, offset);
    this.#tellApart(row, offset, raw);
    this.#setTimes(row, line.tsUs, line.durationUs ?? ABSENT);
    this.#setStatus(row, line.status ?? 0);
    const user = line.user === undefined ? 0 : this.#consumers.of(texts.idOfString(line.user));
    table.consumer[row] = user;
    table.callKind[row] = line.kind === undefined ? this.#ofSource.rest : texts.idOfString(line.kind);
    table.region[row] = line.region === undefined ? 0 : this.#labels.of(texts.idOfString(line.region));
    if (line.records !== undefined) table.measure(records, row, line.records);
    const { tenantFrom } = source;
    const tenant = tenantFrom.from === 'user' ? user : this.#tenants.of(texts.idOfString(tenantText(line, tenantFrom)));
    table.tenant[row] = tenant;
    table.resolver[row] = tenant === 0 ? 0 : texts.idOfString(tenantFrom.from);
    if (tenant === 0 && this.#naming.tenants.isAskable) this.#findTenant(row, line);
    if (table.tenant[row] === 0 && this.#naming.tenants.refusesUnknown) {
      table.truncate(row);
      return false;
    }
    table.endpoint[row] = this.#endpoints.renamed(this.#endpointOf(line));
    if (line.bytesIn !== undefined) table.measure(bytesIn, row, line.bytesIn);
    if (line.bytesOut !== undefined) table.measure(bytesOut, row, line.bytesOut);
    if (line.cpuUs !== undefined) table.measure(cpu, row, line.cpuUs);
    return true;
  }

  /** Whether plain lines say all that is needed of a log: not where rules must see a host or a path to find the tenant. */
  takesPlain({ tenantFrom: { from } }: LogSource): boolean {
    const { isAskable, refusesUnknown } = this.#naming.tenants;
    return !isAskable && !refusesUnknown && (from === 'none' || from === 'fixed' || from === 'user');
  }

  /**
   * Adds a plain line, as `add` would.
   *
   * Takes  bytes[from, end): the line itself.
   * Gives  false when it is not added after all, because it is none for this way: then `add` must be asked.
   */
  addPlain(line: PlainLine, source: LogSource, offset: number, bytes: Buffer, from: number, end: number): boolean {
    if (end - from > LONGEST_LINE) return false;
    const { table } = this;
    const endpoint = this.#endpointOfPlain(line, bytes);
    const row = table.reserve(1);
    this.#begin(row, source, offset);
    if (endpoint === 0 || !this.#tellApartPlain(row, offset, bytes, from, end)) {
      table.truncate(row);
      return false;
    }
    this.#setTimes(row, line.tsUs, line.durationUs);
    this.#setStatus(row, line.status);
    const user = this.#consumers.of(table.texts.idOf(bytes, line.userAt, line.userEnd));
    table.consumer[row] = user;
    table.callKind[row] = this.#ofSource.rest;
    table.region[row] = 0;
    const tenant = source.tenantFrom.from === 'user' ? user : this.#ofSource.tenant;
    table.tenant[row] = tenant;
    table.resolver[row] = tenant === 0 ? 0 : this.#ofSource.resolver;
    table.endpoint[row] = this.#endpoints.renamed(endpoint - 1);
    if (line.bytesIn >= 0) table.measure(bytesIn, row, line.bytesIn);
    if (line.bytesOut >= 0) table.measure(bytesOut, row, line.bytesOut);
    return true;
  }

  /** Writes what all lines of a log have in common. */
  #begin(row: number, source: LogSource, offset: number): void {
    const { table } = this;
    if (source !== this.#source) this.#beginSource(source);
    const stretch = Math.floor(offset / STRETCH_BYTES);
    if (stretch !== this.#stretchNumber) this.#beginStretch(source, stretch);
    for (let word = 0; word < 4; word++) table.trace[row * 4 + word] = this.#stretch[word]!;
    table.parent[row * 2] = table.parent[row * 2 + 1] = 0;
    table.weight[row * 2] = 1_000_000;
    table.weight[row * 2 + 1] = 0;
    table.isWeightKnown[row] = 1;
    table.origin[row] = Origin.log;
    table.kind[row] = SpanKind.SERVER;
    table.isDb[row] = 0;
    table.namespace[row] = table.pod[row] = table.name[row] = table.peer[row] = 0;
    table.resourceTenant[row] = table.resourceResolver[row] = 0;
    table.service[row] = this.#ofSource.service;
    table.version[row] = table.flags[row] = 0;
  }

  #beginSource(source: LogSource): void {
    const { texts } = this.table;
    const { tenantFrom } = source;
    this.#source = source;
    this.#stretchNumber = -1;
    this.#ofSource = {
      service: this.#labels.of(texts.idOfString(source.service)),
      tenant: tenantFrom.from === 'fixed' ? this.#tenants.of(texts.idOfString(tenantFrom.tenant)) : 0,
      resolver: texts.idOfString(tenantFrom.from),
      rest: texts.idOfString('rest'),
    };
  }

  /** The stretch in which a line begins is its trace; its place there and how it begins are its span. */
  #beginStretch({ fingerprint, service, host }: LogSource, stretch: number): void {
    const name = `${fingerprint.length}:${fingerprint}${service.length}:${service}${host.length}:${host}${stretch}`;
    const digest = hash('sha256', `log:${name}`, 'buffer');
    for (let word = 0; word < 4; word++) this.#stretch[word] = digest.readUInt32LE(word * 4);
    this.#stretchNumber = stretch;
  }

  #setTimes(row: number, tsUs: number, durationUs: number): void {
    const { start, end, isTimed } = this.table;
    setTime(start, row, tsUs);
    if (durationUs > 0) setTime(end, row, tsUs + durationUs);
    else {
      end[row * 2] = start[row * 2]!;
      end[row * 2 + 1] = start[row * 2 + 1]!;
    }
    isTimed[row] = durationUs === ABSENT ? 0 : 1;
  }

  #setStatus(row: number, status: number): void {
    this.table.status[row] = status <= 999 ? status : 0;
    this.table.isError[row] = status >= 500 ? 1 : 0;
  }

  #findTenant(row: number, { host, path, user }: LogLine): void {
    const { texts } = this.table;
    const found = this.#naming.tenants.find({
      ...(host === undefined ? {} : { host }),
      ...(path === undefined ? {} : { path }),
      ...(user === undefined ? {} : { consumer: user }),
    });
    if (found === null) return;
    this.table.tenant[row] = this.#tenants.of(texts.idOfString(found.tenant));
    this.table.resolver[row] = texts.idOfString(found.resolver);
  }

  #tellApart(row: number, offset: number, raw: string): void {
    let [first, second] = [FIRST_SEED, SECOND_SEED];
    const told = Math.min(raw.length, TOLD_BY);
    for (let at = 0; at < told; at++) {
      const code = raw.charCodeAt(at);
      first = Math.imul(first ^ code, PRIME);
      second = Math.imul(second ^ code, GOLDEN) ^ (second >>> 15);
    }
    this.#setSpan(row, offset, first, second);
  }

  /** The same of bytes; false where they are not characters. */
  #tellApartPlain(row: number, offset: number, bytes: Uint8Array, from: number, end: number): boolean {
    let [first, second, all] = [FIRST_SEED, SECOND_SEED, 0];
    const to = Math.min(end, from + TOLD_BY);
    for (let at = from; at < to; at++) {
      const code = bytes[at]!;
      all |= code;
      first = Math.imul(first ^ code, PRIME);
      second = Math.imul(second ^ code, GOLDEN) ^ (second >>> 15);
    }
    this.#setSpan(row, offset, first, second);
    return all < 0x80;
  }

  #setSpan(row: number, offset: number, first: number, second: number): void {
    this.table.span[row * 2] = first;
    this.table.span[row * 2 + 1] = (second & 0xffff_0000) | (offset - this.#stretchNumber * STRETCH_BYTES);
  }

  /** The number of a plain line's endpoint plus one; 0 when there are too many to remember. */
  #endpointOfPlain({ methodAt, methodEnd, pathAt, pathEnd }: PlainLine, bytes: Buffer): number {
    if (!this.#remembersCalls) return 0;
    let [source, start, end] = [bytes, methodAt, pathEnd];
    if (pathAt !== methodEnd + 1) {
      // A host stands between the two.
      source = this.#call;
      start = 0;
      end = bytes.copy(source, 0, methodAt, methodEnd + 1);
      end += bytes.copy(source, end, pathAt, pathEnd);
    }
    const id = this.#calls.idOf(source, start, end);
    if (id >= this.#callEndpoints.length) this.#callEndpoints = grownNumbers(this.#callEndpoints, id);
    const known = this.#callEndpoints[id]!;
    if (known !== 0) return known;
    const method = bytes.toString('latin1', methodAt, methodEnd);
    const path = bytes.toString('latin1', pathAt, pathEnd);
    const endpoint = this.table.texts.idOfString(shortened(this.#endpoints.fromPath(method, path))) + 1;
    this.#callEndpoints[id] = endpoint;
    return endpoint;
  }

  #endpointOf({ method = 'HTTP', path, route }: LogLine): number {
    if (route !== undefined) return this.#once('route', method, route, () => this.#endpoints.fromRoute(method, route));
    if (path === undefined) return this.table.texts.idOfString('(malformed request)');
    return this.#once('path', method, path, () => this.#endpoints.fromPath(method, path));
  }

  #once(kind: string, method: string, path: string, endpoint: () => string): number {
    const key = `${kind} ${method} ${path}`;
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const id = this.table.texts.idOfString(shortened(endpoint()));
    const isKept = this.#paths.size < MOST_PATHS && this.#pathCharacters < MOST_PATH_CHARACTERS;
    if (key.length > LONGEST_PATH || !isKept) return id;
    // A copy: the path is a part of the whole body, which would stay in memory with it.
    this.#paths.set(Buffer.from(key).toString(), id);
    this.#pathCharacters += key.length;
    return id;
  }
}

function grownNumbers(numbers: Uint32Array, place: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(Math.max(numbers.length * 2, place + 1));
  larger.set(numbers);
  return larger;
}

/** Microseconds as nanoseconds in two halves. They do not fit a double, so the halves are made apart. */
export function setTime(column: Uint32Array, row: number, us: number): void {
  const high = Math.floor(us / 2 ** 32);
  const low = (us - high * 2 ** 32) * 1_000;
  column[row * 2] = low % 2 ** 32;
  column[row * 2 + 1] = high * 1_000 + Math.floor(low / 2 ** 32);
}

function shortened(text: string): string {
  const short =
    text.length <= LONGEST_TENANT ? text : [...text.slice(0, 2 * LONGEST_TENANT)].slice(0, LONGEST_TENANT).join('');
  return short === UNKNOWN_TENANT ? '' : short;
}
