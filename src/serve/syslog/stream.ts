import { setTimeout as pause } from 'node:timers/promises';
import { detectLogFormat, findLogFormat, type LogFormat, safeLabel, type TenantFrom } from '../../collect/index.ts';
import { Failure } from '../../model/index.ts';
import type { House } from '../house.ts';

/** The lines of one program of one sender, and how to bring them in. */
export interface StreamConfig {
  readonly house: House;
  /** A name, or `auto`. */
  readonly format: string;
  readonly tenantFrom: TenantFrom;
  readonly tenantFromText: string;
  readonly source: string;
  readonly service: string;
  /** Random: syslog has no places, so what is sent twice is two calls. */
  readonly fingerprint: string;
  /** Whether lines wait while the journal is full; else they are dropped. */
  readonly waits: () => boolean;
}

export const FLUSH_MS = 200;
const FLUSH_LINES = 1_000;
const FLUSH_BYTES = 1 << 20;
const RETRY_MS = 1_000;
/** Lines of syslog cannot be read again, so a few of a batch tell what is wrong. */
const MOST_QUARANTINED = 100;

/** Collects lines for a moment and hands them to the collector. */
export class SyslogStream {
  /** What waits here or is under way. */
  pendingLines = 0;
  pendingBytes = 0;
  readonly #config: StreamConfig;
  #format: LogFormat | null = null;
  #lines: string[] = [];
  #bytes = 0;
  #offset = 0;
  #lineNumber = 1;
  #timer: NodeJS.Timeout | null = null;
  #underWay: Promise<void> = Promise.resolve();

  constructor(config: StreamConfig) {
    this.#config = config;
  }

  add(line: string, bytes: number): void {
    this.#lines.push(line);
    this.#bytes += bytes;
    this.pendingLines += 1;
    this.pendingBytes += bytes;
    if (this.#lines.length >= FLUSH_LINES || this.#bytes >= FLUSH_BYTES) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), FLUSH_MS);
  }

  /** Hands over what waits; gives when everything handed over so far was kept or dropped. */
  flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#lines.length === 0) return this.#underWay;
    const [lines, bytes] = [this.#lines, this.#bytes];
    this.#lines = [];
    this.#bytes = 0;
    this.#underWay = this.#underWay
      .then(() => this.#deliver(lines))
      .finally(() => {
        this.pendingLines -= lines.length;
        this.pendingBytes -= bytes;
      });
    return this.#underWay;
  }

  async #deliver(lines: readonly string[]): Promise<void> {
    const { house, waits } = this.#config;
    for (;;) {
      try {
        return await this.#take(lines);
      } catch (cause) {
        const isFull = cause instanceof Failure && cause.status === 503;
        if (isFull && waits()) {
          await pause(RETRY_MS);
          continue;
        }
        house.syslog.drop(isFull ? 'journal_full' : 'failed', lines.length);
        if (!isFull) house.log.error('syslog lines could not be taken', { cause: String(cause) });
        return;
      }
    }
  }

  async #take(lines: readonly string[]): Promise<void> {
    const { house, service, source, fingerprint, tenantFrom, tenantFromText } = this.#config;
    const text = `${lines.join('\n')}\n`;
    const body = Buffer.from(text);
    const format = this.#formatOf(text);
    const [offset, firstLine] = [this.#offset, this.#lineNumber];
    const taken = await house.collector.lines(body, { service, host: '', tenantFrom, fingerprint }, format, offset);
    this.#offset += body.length;
    this.#lineNumber += lines.length;
    // Another program may stand behind the tag now, or the first batch misled.
    if (taken.accepted === 0) this.#format = null;
    // The tag is what a sender wrote: it is stored as labels of calls are.
    const origin = {
      ...{ source, service: safeLabel(service), host: '', fingerprint },
      ...{ tenantFrom: tenantFromText, format: format.name },
    };
    await house.quarantine
      .note(origin, { body, offset, firstLine }, taken.malformed.slice(0, MOST_QUARANTINED))
      .catch((cause: unknown) => house.log.warn('refused lines could not be noted', { cause: String(cause) }));
  }

  #formatOf(text: string): LogFormat {
    if (this.#config.format !== 'auto') return findLogFormat(this.#config.format)!;
    this.#format ??= detectLogFormat(text);
    // What is not recognised is refused line by line, and counted so.
    return this.#format ?? findLogFormat('combined')!;
  }
}
