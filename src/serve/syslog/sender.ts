import { randomBytes } from 'node:crypto';
import type { TenantFrom } from '../../collect/index.ts';
import type { House } from '../house.ts';
import { readSyslog } from './message.ts';
import { SyslogStream } from './stream.ts';

/** How lines of all senders are read. */
export interface Reading {
  readonly format: string;
  readonly tenantFrom: TenantFrom;
  readonly tenantFromText: string;
}

const MOST_TAGS = 50;
const NO_TAG = 'syslog';

/** Who sends: one TCP connection, or one address over UDP. Its programs are kept apart by their tags. */
export class SyslogSender {
  readonly #house: House;
  readonly #reading: Reading;
  readonly #source: string;
  readonly #waits: () => boolean;
  readonly #fingerprint = randomBytes(16).toString('hex');
  readonly #streams = new Map<string, SyslogStream>();

  constructor(house: House, reading: Reading, source: string, waits: () => boolean) {
    this.#house = house;
    this.#reading = reading;
    this.#source = source;
    this.#waits = waits;
  }

  get pendingBytes(): number {
    let bytes = 0;
    for (const stream of this.#streams.values()) bytes += stream.pendingBytes;
    return bytes;
  }

  get pendingLines(): number {
    let lines = 0;
    for (const stream of this.#streams.values()) lines += stream.pendingLines;
    return lines;
  }

  take(message: Buffer): void {
    const { tag, line } = readSyslog(message.toString('utf8'));
    if (line !== '') this.#stream(tag || NO_TAG).add(line, message.length);
  }

  /** Hands over what waits; gives when it was kept or dropped. */
  async flush(): Promise<void> {
    await Promise.all([...this.#streams.values()].map((stream) => stream.flush()));
  }

  #stream(tag: string): SyslogStream {
    const known = this.#streams.get(tag);
    if (known) return known;
    // Whoever makes up tags would make up services.
    const service = this.#streams.size < MOST_TAGS ? tag : NO_TAG;
    const there = this.#streams.get(service);
    if (there) return there;
    const [house, source, waits, fingerprint] = [this.#house, this.#source, this.#waits, this.#fingerprint];
    const stream = new SyslogStream({ house, ...this.#reading, source, service, fingerprint, waits });
    this.#streams.set(service, stream);
    return stream;
  }
}
