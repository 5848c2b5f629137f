import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerListener,
  status,
} from '@grpc/grpc-js';
import { type Failure, fail } from '../model/index.ts';
import type { Bodies, Hold } from './bodies.ts';
import { Line } from './line.ts';

/** The memory of a request that has come, and whether somebody answers it: who does gives it back. */
interface Arrival {
  readonly hold: Hold;
  isTaken: boolean;
}

const MOST_IN_LINE = 1_000;

/** How a call ends. */
export interface RpcStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** Who stands at the door. */
export interface Door {
  /** Says why a request is refused that has shown its head. */
  readonly refusal: (path: string, authority: string, metadata: Metadata) => Failure | null;
  readonly statusOf: (failure: Failure) => RpcStatus;
  /** How long a request may take to come, its time in the line included. */
  readonly withinMs: number;
}

/**
 * Lets requests come in, some at a time. gRPC does not say beforehand how large a message is, and how much of it has come cannot
 * be seen: each counts as the largest there may be while it comes, and of those behind it nothing is read.
 *
 * Holds  what a request took is given back when it was answered, and also when it was refused or its sender went away.
 */
export class GrpcArrivals {
  readonly #bodies: Bodies;
  readonly #door: Door;
  readonly #line: Line;
  readonly #arrivals = new WeakMap<Metadata, Arrival>();

  constructor(bodies: Bodies, door: Door) {
    this.#bodies = bodies;
    this.#door = door;
    this.#line = new Line(bodies.atOnce, MOST_IN_LINE);
  }

  /** Takes over the memory of a request that is answered now; gives how to give it back. */
  take(metadata: Metadata): () => void {
    const arrival = this.#arrivals.get(metadata)!;
    arrival.isTaken = true;
    return arrival.hold.giveBack;
  }

  /** Stands in front of every method. */
  readonly interceptor: ServerInterceptor = ({ path }, call) =>
    new ServerInterceptingCall(call, { start: (next) => next(this.#listener(path, call)) });

  #listener(path: string, call: ServerInterceptingCallInterface): ServerListener {
    let arrival: Arrival | null = null;
    let hasCome: () => void = () => undefined;
    const refuse = (failure: Failure) => {
      hasCome();
      call.sendStatus(this.#door.statusOf(failure));
    };
    return {
      onReceiveMetadata: (metadata, read) => {
        const refusal = this.#door.refusal(path, call.getHost(), metadata);
        const place = refusal === null ? this.#line.join() : null;
        if (place === null) return refuse(refusal ?? fail('SERVER_BUSY'));
        const isLate = () => {
          hasCome();
          call.sendStatus({ code: status.DEADLINE_EXCEEDED, details: 'the request took too long to come' });
        };
        const timer = setTimeout(isLate, this.#door.withinMs).unref();
        let isComing = true;
        hasCome = () => {
          isComing = false;
          clearTimeout(timer);
          place.leave();
        };
        void place.turn.then(() => {
          if (!isComing) return;
          const hold = this.#bodies.hold();
          if (hold === null) return refuse(fail('SERVER_BUSY'));
          arrival = { hold, isTaken: false };
          this.#arrivals.set(metadata, arrival);
          read(metadata);
        });
      },
      onReceiveMessage: (message: Buffer, next) => {
        arrival?.hold.shrinkTo(message.length);
        hasCome();
        next(message);
      },
      onCancel: () => {
        hasCome();
        if (arrival?.isTaken === false) arrival.hold.giveBack();
      },
    };
  }
}
