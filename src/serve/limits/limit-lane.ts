import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from '../answer.ts';
import type { Patience } from '../bind.ts';
import type { Gate } from '../gate.ts';
import type { House } from '../house.ts';
import { problemAnswer } from '../problem.ts';
import { AUTHZ_PATH, answerAuthz, answerLimit, limitVerb } from './limit-requests.ts';
import { headEnd, type PlainHead, readPlainHead } from './plain-request.ts';
import { writeAnswer } from './write-answer.ts';

/** As long as an HTTP server keeps a connection on which nothing is asked. */
const IDLE_MS = 65_000;
const STOP_MS = 5_000;
/** Answers that are put together before they are written, in characters. */
const MOST_WAITING = 1 << 18;
const NOTHING = Buffer.alloc(0);

/**
 * A lane of its own for whoever asks about limits, at every call of somebody's API: requests that came whole, and of which nothing is
 * unusual, are answered straight from the bytes. The first one that is anything else takes its connection to the HTTP server, for good.
 *
 * Takes  server: its connections come through here first.
 * Gives  a function that closes the connections that are in the lane.
 * From   docs/decisions/0031-a-lane-for-limits.md
 */
export function openLane(server: Server, house: House, gate: Gate, patience: Patience): () => void {
  const [toServer] = server.listeners('connection') as [(socket: Socket) => void];
  server.removeListener('connection', toServer);
  const open = new Set<LaneConnection>();
  server.on('connection', (socket: Socket) => {
    const leave = (isHandedOver: boolean) => {
      open.delete(connection);
      if (isHandedOver) toServer.call(server, socket);
    };
    const connection: LaneConnection = new LaneConnection({ house, gate, patience, socket, leave });
    open.add(connection);
  });
  return () => {
    for (const connection of open) connection.stop();
    // As long as the server gives its own connections.
    setTimeout(() => {
      for (const connection of open) connection.cut();
    }, STOP_MS).unref();
  };
}

interface LaneOptions {
  readonly house: House;
  readonly gate: Gate;
  readonly patience: Patience;
  readonly socket: Socket;
  /** Called once, when it is closed or somebody else's. */
  readonly leave: (isHandedOver: boolean) => void;
}

/** Answers one after the other, each before the next is read: what waits, waits in the network. */
class LaneConnection {
  readonly #options: LaneOptions;
  readonly #listeners = {
    data: (bytes: Buffer) => this.#read(bytes),
    // Who goes away in the middle is no fault of anybody here.
    error: () => undefined,
    end: () => this.#end(),
    close: () => this.#options.leave(false),
    timeout: () => this.#late(),
    drain: () => this.#goOn(),
  };
  /** Who asks again and again says the same of himself each time. */
  #headBytes: Buffer = NOTHING;
  #head: PlainHead | null = null;
  /** What came and was not read, because something is waited for. */
  #rest: Buffer = NOTHING;
  #hasAsked = false;
  #isDeciding = false;
  #isStopping = false;
  /** Whoever asks has said that nothing more comes. */
  #hasEnded = false;
  #isLeft = false;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { socket, patience } = options;
    socket.setTimeout(Math.min(patience.headMs, patience.idleMs));
    for (const [event, listener] of Object.entries(this.#listeners)) socket.on(event, listener);
  }

  /** Ends the connection once what was decided is told: no more is taken from it. */
  stop(): void {
    this.#isStopping = true;
    if (!this.#isDeciding) this.#close();
  }

  cut(): void {
    this.#options.socket.destroy();
  }

  #close(): void {
    const { socket } = this.#options;
    if (socket.writableLength === 0) socket.destroy();
    else {
      socket.end(() => socket.destroy());
      // What still comes is dropped: a connection that is closed on unread bytes takes the answers with it.
      socket.resume();
    }
  }

  #read(bytes: Buffer): void {
    if (this.#isStopping) return;
    let answers = '';
    let at = 0;
    while (at < bytes.length) {
      if (answers.length > MOST_WAITING) {
        this.#write(answers);
        answers = '';
        if (this.#options.socket.writableNeedDrain) break;
      }
      const bodyAt = headEnd(bytes, at);
      const head = bodyAt < 0 ? null : this.#headOf(bytes, at, bodyAt);
      const end = head === null ? -1 : bodyAt + head.bodyBytes;
      const answer = head === null || end > bytes.length ? null : this.#answer(head, bytes.subarray(bodyAt, end));
      if (answer === null || answer instanceof Promise) {
        this.#write(answers);
        if (answer === null) this.#handOver(bytes.subarray(at));
        else void this.#awaitAnswer(answer, bytes.subarray(end));
        return;
      }
      answers += this.#written(answer);
      at = end;
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : NOTHING;
    this.#write(answers);
  }

  #headOf(bytes: Buffer, at: number, end: number): PlainHead | null {
    const known = this.#headBytes;
    const isKnown = known.length === end - at && bytes.compare(known, 0, known.length, at, end) === 0;
    if (isKnown) return this.#head;
    this.#head = readPlainHead(bytes.toString('latin1', at, end));
    this.#headBytes = Buffer.from(bytes.subarray(at, end));
    return this.#head;
  }

  /** Gives null for what is not about limits. */
  #answer({ method, path, query, headers }: PlainHead, body: Buffer): Answer | Promise<Answer> | null {
    const { house, gate } = this.#options;
    const isAuthz = path === AUTHZ_PATH;
    const verb = method === 'POST' && !isAuthz ? limitVerb(path) : null;
    if (!isAuthz && verb === null) return null;
    // Whoever may not ask hears it from the server.
    if (gate.refusal({ method, path, headers }) !== null) return null;
    try {
      if (isAuthz) return answerAuthz(house, headers, query);
      house.bodies.checkSize(body.length);
      return answerLimit(house, verb!, body);
    } catch (cause) {
      return problemAnswer(cause, house.log);
    }
  }

  /** One wrong answer must not end the server of everybody. */
  #written(answer: Answer): string {
    try {
      return writeAnswer(answer);
    } catch (cause) {
      return writeAnswer(problemAnswer(cause, this.#options.house.log));
    }
  }

  async #awaitAnswer(deciding: Promise<Answer>, rest: Buffer): Promise<void> {
    const { socket, house } = this.#options;
    this.#isDeciding = true;
    this.#rest = rest;
    socket.pause();
    const answer = await deciding.catch((cause: unknown) => problemAnswer(cause, house.log));
    this.#isDeciding = false;
    if (socket.destroyed) return;
    this.#write(this.#written(answer));
    if (this.#isStopping) this.#close();
    else this.#goOn();
  }

  #write(answers: string): void {
    if (answers === '') return;
    const { socket, patience } = this.#options;
    if (!this.#hasAsked) socket.setTimeout(Math.min(IDLE_MS, patience.idleMs));
    this.#hasAsked = true;
    // Names may be in any alphabet; nearly all are in the one that needs no encoding.
    const isPlain = Buffer.byteLength(answers) === answers.length;
    const isTaken = socket.write(answers, isPlain ? 'latin1' : 'utf8');
    // Who does not read its answers is not read either.
    if (!isTaken) socket.pause();
  }

  /** Nothing is waited for any more. */
  #goOn(): void {
    const { socket } = this.#options;
    if (this.#isDeciding || socket.writableNeedDrain) return;
    const rest = this.#rest;
    this.#rest = NOTHING;
    if (rest.length > 0) this.#read(rest);
    if (this.#isLeft || this.#isDeciding || socket.writableNeedDrain) return;
    if (this.#hasEnded) this.#close();
    else socket.resume();
  }

  #handOver(rest: Buffer): void {
    const { socket, leave } = this.#options;
    // The server could not be given what is left of a connection that has ended.
    if (this.#hasEnded) {
      this.#close();
      return;
    }
    this.#isLeft = true;
    for (const [event, listener] of Object.entries(this.#listeners)) socket.removeListener(event, listener);
    socket.pause();
    socket.setTimeout(0);
    if (rest.length > 0) socket.unshift(rest);
    leave(true);
    socket.resume();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#goOn();
  }

  #late(): void {
    if (!this.#isDeciding) this.#options.socket.destroy();
  }
}
