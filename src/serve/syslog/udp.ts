import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { House } from '../house.ts';
import { plainAddress } from './allowed.ts';
import type { SyslogDrop } from './counts.ts';
import { LONGEST_MESSAGE } from './frames.ts';
import { type Reading, SyslogSender } from './sender.ts';

const RECEIVE_BYTES = 4 << 20;
const MOST_SENDERS = 2_000;
/** Nobody can be told to wait, so what is more than this is dropped. */
const MOST_PENDING_BYTES = 64 << 20;

/** Syslog over UDP. What cannot be kept at once is dropped, and counted by reason. */
export class SyslogUdp {
  readonly socket: Socket;
  readonly #house: House;
  readonly #reading: Reading;
  readonly #isAllowed: (address: string) => boolean;
  readonly #senders = new Map<string, SyslogSender>();
  #sinceCounted = 0;
  #pendingBytes = 0;

  constructor(house: House, reading: Reading, isAllowed: (address: string) => boolean, type: 'udp4' | 'udp6') {
    this.#house = house;
    this.#reading = reading;
    this.#isAllowed = isAllowed;
    this.socket = createSocket({ type });
    this.socket.on('message', (message, from) => this.#receive(message, from));
    this.socket.on('listening', () => largerBuffer(this.socket));
  }

  async stop(): Promise<void> {
    await new Promise<void>((done) => this.socket.close(() => done()));
    await Promise.all([...this.#senders.values()].map((sender) => sender.flush()));
  }

  #receive(message: Buffer, { address }: RemoteInfo): void {
    const { syslog } = this.#house;
    const reason = this.#dropReason(message, address);
    if (reason !== null) {
      syslog.drop(reason);
      return;
    }
    syslog.messages.udp += 1;
    this.#sender(plainAddress(address)).take(message);
  }

  #dropReason(message: Buffer, address: string): SyslogDrop | null {
    if (!this.#isAllowed(address)) return 'not_allowed';
    if (message.length > LONGEST_MESSAGE) return 'too_long';
    return this.#isOverloaded(message.length) ? 'overloaded' : null;
  }

  /** Counts anew from time to time only; in between everything counts as waiting. */
  #isOverloaded(bytes: number): boolean {
    this.#pendingBytes += bytes;
    if (++this.#sinceCounted >= 10_000 || this.#pendingBytes > MOST_PENDING_BYTES) {
      this.#sinceCounted = 0;
      this.#pendingBytes = 0;
      for (const sender of this.#senders.values()) this.#pendingBytes += sender.pendingBytes;
    }
    return this.#pendingBytes > MOST_PENDING_BYTES;
  }

  #sender(address: string): SyslogSender {
    const known = this.#senders.get(address);
    if (known) return known;
    if (this.#senders.size >= MOST_SENDERS) this.#forgetIdle();
    const sender = new SyslogSender(this.#house, this.#reading, `syslog udp ${address}`, () => false);
    this.#senders.set(address, sender);
    return sender;
  }

  #forgetIdle(): void {
    for (const [address, sender] of this.#senders) if (sender.pendingLines === 0) this.#senders.delete(address);
    // Addresses of senders can be made up: whoever makes up many loses what waits, not the memory of this process.
    for (const [address, sender] of this.#senders) {
      if (this.#senders.size < MOST_SENDERS) break;
      void sender.flush();
      this.#senders.delete(address);
    }
  }
}

/** More room for bursts, as far as the system allows. */
function largerBuffer(socket: Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BYTES);
  } catch {
    // The default is enough for most.
  }
}
