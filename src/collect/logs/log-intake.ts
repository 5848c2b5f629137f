import { createHash } from 'node:crypto';
import { SpanKind, UNKNOWN_TENANT } from '../../model/index.ts';
import { EndpointNames } from '../endpoint.ts';
import { type Naming, newNaming } from '../naming/naming.ts';
import { safeConsumer, safeLabel } from '../privacy.ts';
import { DerivedTexts } from '../table/derived-texts.ts';
import { FrameWriter } from '../table/frame.ts';
import { measures, Origin, SpanTable } from '../table/span-table.ts';
import type { LogLine } from './log-line.ts';
import { type LogSource, tenantText } from './log-source.ts';

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
  readonly #stretch = new Uint32Array(4);
  #stretchName = '';

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
    const isSmall = texts.count < MOST_TEXTS && texts.sizeBytes < MOST_TEXT_BYTES;
    if (isSmall && this.#paths.size < MOST_PATHS && this.#pathCharacters < MOST_PATH_CHARACTERS) return;
    texts.clear();
    this.#labels.clear();
    this.#pathCharacters = 0;
    this.#consumers.clear();
    this.#tenants.clear();
    this.#paths.clear();
    this.#endpoints.clear();
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
    this.#identify(row, source, offset, raw);
    table.parent[row * 2] = table.parent[row * 2 + 1] = 0;
    setTime(table.start, row, line.tsUs);
    setTime(table.end, row, line.tsUs + (line.durationUs ?? 0));
    table.isTimed[row] = line.durationUs === undefined ? 0 : 1;
    table.weight[row * 2] = 1_000_000;
    table.weight[row * 2 + 1] = 0;
    table.isWeightKnown[row] = 1;
    table.origin[row] = Origin.log;
    table.kind[row] = SpanKind.SERVER;
    table.isDb[row] = 0;
    const status = line.status ?? 0;
    table.status[row] = status <= 999 ? status : 0;
    table.isError[row] = status >= 500 ? 1 : 0;
    table.namespace[row] = table.pod[row] = table.name[row] = table.peer[row] = 0;
    table.resourceTenant[row] = table.resourceResolver[row] = 0;
    table.service[row] = this.#labels.of(texts.idOfString(source.service));
    const user = line.user === undefined ? 0 : this.#consumers.of(texts.idOfString(line.user));
    table.consumer[row] = user;
    table.callKind[row] = texts.idOfString(line.kind ?? 'rest');
    table.region[row] = line.region === undefined ? 0 : this.#labels.of(texts.idOfString(line.region));
    table.version[row] = table.flags[row] = 0;
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

  /** The stretch in which a line begins is its trace; its place there and how it begins are its span. */
  #identify(row: number, source: LogSource, offset: number, raw: string): void {
    const stretch = Math.floor(offset / STRETCH_BYTES);
    const name = `${source.fingerprint.length}:${source.fingerprint}${source.service.length}:${source.service}${source.host.length}:${source.host}${stretch}`;
    if (name !== this.#stretchName) {
      const hash = createHash('sha256').update(`log:${name}`).digest();
      for (let word = 0; word < 4; word++) this.#stretch[word] = hash.readUInt32LE(word * 4);
      this.#stretchName = name;
    }
    this.table.trace.set(this.#stretch, row * 4);
    let first = 0x811c9dc5;
    let second = 0x9e3779b9;
    const told = Math.min(raw.length, TOLD_BY);
    for (let at = 0; at < told; at++) {
      const code = raw.charCodeAt(at);
      first = Math.imul(first ^ code, 0x01000193);
      second = Math.imul(second ^ code, GOLDEN) ^ (second >>> 15);
    }
    this.table.span[row * 2] = first;
    this.table.span[row * 2 + 1] = (second & 0xffff_0000) | (offset - stretch * STRETCH_BYTES);
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
