import {
  type handleUnaryCall,
  Server,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import type { Failure } from '../../model/index.ts';
import { fail } from '../../model/index.ts';
import type { Patience } from '../bind.ts';
import { Bodies } from '../bodies.ts';
import type { Gate } from '../gate.ts';
import { GrpcArrivals } from '../grpc-arrivals.ts';
import { listening } from '../grpc-listening.ts';
import type { House } from '../house.ts';
import { asFailure } from '../problem.ts';
import { checkAuthorization, shouldRateLimit } from './envoy-decisions.ts';

/** A request names a few things; a larger one is somebody else's. */
const LARGEST_MESSAGE = 256 << 10;
/** What messages of all callers may take together; half of it while they come: 256 at once. */
const MOST_BYTES = 128 << 20;
/** A caller sends its message with the head of the call. */
const ARRIVE_MS = 5_000;
const IDLE_MS = 300_000;
/** A proxy has one connection for each of its threads, with all of its requests under way. */
const STREAMS_OF_A_CONNECTION = 1_000;
/** Whoever watches the health stays until it goes away, and needs no token. */
const MOST_WATCHING = 1_000;

const HEALTH = '/grpc.health.v1.Health/';

const asIs = (bytes: Buffer) => bytes;
const bytes = { requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: asIs, responseDeserialize: asIs };

type Answer = (house: House, request: Uint8Array) => Promise<Uint8Array>;

const methods: Readonly<Record<string, Answer>> = {
  '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit': shouldRateLimit,
  '/envoy.service.auth.v3.Authorization/Check': checkAuthorization,
};

/**
 * Opens the listener for Envoy: the rate limit service and ext_authz, with the health of gRPC. Without TLS, as the other listeners are.
 *
 * Gives  a function that stops it.
 * Fails  PORT_IN_USE.
 */
export function openEnvoyGrpc(
  house: House,
  gate: Gate,
  host: string,
  port: number,
  patience: Patience,
): Promise<() => Promise<void>> {
  const arrivals = new GrpcArrivals(new Bodies(LARGEST_MESSAGE, MOST_BYTES), {
    refusal: (path, authority, metadata) => {
      if (path.startsWith(HEALTH)) return null;
      const text = (key: string) => metadata.get(key)[0]?.toString();
      const headers = { host: authority, authorization: text('authorization'), origin: text('origin') };
      return gate.refusal({ method: 'POST', path, headers });
    },
    statusOf,
    withinMs: Math.min(patience.bodyMs, ARRIVE_MS),
  });
  const server = new Server({
    interceptors: [arrivals.interceptor],
    'grpc.max_receive_message_length': LARGEST_MESSAGE,
    'grpc.max_concurrent_streams': STREAMS_OF_A_CONNECTION,
    'grpc.keepalive_time_ms': patience.idleMs,
    'grpc.keepalive_timeout_ms': patience.headMs,
    'grpc.max_connection_idle_ms': IDLE_MS,
    'grpc.enable_channelz': 0,
  });
  for (const [path, answer] of Object.entries(methods)) {
    const unary = { path, requestStream: false, responseStream: false, ...bytes };
    server.addService({ call: unary } as ServiceDefinition, { call: answerer(house, arrivals, answer) });
  }
  addHealth(server, arrivals);
  return listening(server, host, port);
}

function answerer(house: House, arrivals: GrpcArrivals, answer: Answer): handleUnaryCall<Buffer, Buffer> {
  return (call, done) => {
    const giveBack = arrivals.take(call.metadata);
    answer(house, call.request)
      .then(
        (response) => done(null, Buffer.from(response)),
        (cause: unknown) =>
          done(statusOf(asFailure(isMalformed(cause) ? fail('BODY_MALFORMED', {}, [], cause) : cause, house.log))),
      )
      .finally(giveBack);
  };
}

function addHealth(server: Server, arrivals: GrpcArrivals): void {
  let watching = 0;
  const check: handleUnaryCall<Buffer, Buffer> = ({ metadata }, done) => {
    arrivals.take(metadata)();
    done(null, SERVING);
  };
  const watch = (call: Watching) => {
    arrivals.take(call.metadata)();
    if (watching >= MOST_WATCHING) {
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many watch already' });
      return;
    }
    watching += 1;
    call.once('cancelled', () => {
      watching -= 1;
    });
    call.write(SERVING);
  };
  server.addService(health, { check, watch });
}

/** What the reader of protobuf throws at bytes that are no message. */
function isMalformed(cause: unknown): boolean {
  return cause instanceof RangeError || (cause instanceof Error && cause.constructor === Error);
}

const codes: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
};

/** Envoy has a setting of its own for what happens when nobody answers; so whatever is no fault of the request is UNAVAILABLE. */
function statusOf(failure: Failure) {
  return { code: codes[failure.status] ?? status.UNAVAILABLE, details: `${failure.code}: ${failure.message}` };
}

type Watching = ServerWritableStream<Buffer, Buffer>;

/** HealthCheckResponse { 1: SERVING }. */
const SERVING = Buffer.from([8, 1]);

const health: ServiceDefinition = {
  check: { path: `${HEALTH}Check`, requestStream: false, responseStream: false, ...bytes },
  watch: { path: `${HEALTH}Watch`, requestStream: false, responseStream: true, ...bytes },
};
