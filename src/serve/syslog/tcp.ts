import { createServer, type Server, type Socket } from 'node:net';
import type { House } from '../house.ts';
import { plainAddress } from './allowed.ts';
import { SyslogFrames } from './frames.ts';
import { type Reading, SyslogSender } from './sender.ts';

/** What syslog over TCP may take. */
export interface TcpBounds {
  readonly connections: number;
  /** Until something comes. */
  readonly idleMs: number;
}

export const TCP_BOUNDS: TcpBounds = { connections: 500, idleMs: 600_000 };
/** From here on a connection is not read until what came was kept: the sender has to wait. */
const ENOUGH_LINES = 4_000;
const ENOUGH_BYTES = 2 << 20;

/** Syslog over TCP. A sender that is faster than the journal is read more slowly; nothing of it is dropped. */
export class SyslogTcp {
  readonly server: Server;
  readonly #house: House;
  readonly #reading: Reading;
  readonly #bounds: TcpBounds;
  readonly #sockets = new Map<Socket, SyslogSender>();
  #isStopping = false;

  constructor(house: House, reading: Reading, isAllowed: (address: string) => boolean, bounds = TCP_BOUNDS) {
    this.#house = house;
    this.#reading = reading;
    this.#bounds = bounds;
    this.server = createServer({ noDelay: true }, (socket) => {
      if (isAllowed(socket.remoteAddress ?? '')) this.#receive(socket);
      else {
        house.syslog.drop('not_allowed');
        socket.destroy();
      }
    });
    this.server.maxConnections = bounds.connections;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const closed = new Promise<void>((done) => this.server.close(() => done()));
    const senders = [...this.#sockets.values()];
    for (const socket of this.#sockets.keys()) socket.destroy();
    await Promise.all(senders.map((sender) => sender.flush()));
    await closed;
  }

  #receive(socket: Socket): void {
    const { syslog } = this.#house;
    const source = `syslog tcp ${plainAddress(socket.remoteAddress ?? '')}`;
    const sender = new SyslogSender(this.#house, this.#reading, source, () => !this.#isStopping);
    const frames = new SyslogFrames();
    this.#sockets.set(socket, sender);
    syslog.connections += 1;
    const take = (messages: Iterable<Buffer>) => {
      const before = frames.tooLong;
      for (const message of messages) {
        syslog.messages.tcp += 1;
        sender.take(message);
      }
      syslog.drop('too_long', frames.tooLong - before);
    };
    socket.setTimeout(this.#bounds.idleMs, () => {
      // A connection that we do not read is not idle.
      if (!socket.isPaused()) socket.destroy();
    });
    socket.on('data', (chunk) => {
      take(frames.push(chunk));
      if (sender.pendingLines < ENOUGH_LINES && sender.pendingBytes < ENOUGH_BYTES) return;
      socket.pause();
      void sender.flush().then(() => socket.resume());
    });
    socket.on('end', () => take(frames.end()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      syslog.connections -= 1;
      void sender.flush();
    });
  }
}
