import {
  type handleUnaryCall,
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import type { Failure } from '../../model/index.ts';
import { fail } from '../../model/index.ts';
import type { Patience } from '../bind.ts';
import type { Gate } from '../gate.ts';
import { listening } from '../grpc-listening.ts';
import type { House } from '../house.ts';
import { asFailure } from '../problem.ts';
import { checkAuthorization, shouldRateLimit } from './envoy-decisions.ts';

/** A request names a few things; a larger one is somebody else's. */
const LARGEST_MESSAGE = 256 << 10;

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
  const server = new Server({
    'grpc.max_receive_message_length': LARGEST_MESSAGE,
    'grpc.max_concurrent_streams': 1_000,
    'grpc.keepalive_time_ms': patience.idleMs,
    'grpc.keepalive_timeout_ms': patience.headMs,
    'grpc.enable_channelz': 0,
  });
  for (const [path, answer] of Object.entries(methods)) {
    const unary = { path, requestStream: false, responseStream: false, ...bytes };
    server.addService({ call: unary } as ServiceDefinition, { call: answerer(house, gate, answer) });
  }
  const check: handleUnaryCall<Buffer, Buffer> = (_, done) => done(null, SERVING);
  server.addService(health, { check, watch: (call: Watching) => void call.write(SERVING) });
  return listening(server, host, port);
}

function answerer(house: House, gate: Gate, answer: Answer): handleUnaryCall<Buffer, Buffer> {
  return (call, done) => {
    const refusal = gateRefusal(gate, call);
    if (refusal !== null) return done(statusOf(refusal));
    answer(house, call.request).then(
      (response) => done(null, Buffer.from(response)),
      (cause: unknown) =>
        done(statusOf(asFailure(isMalformed(cause) ? fail('BODY_MALFORMED', {}, [], cause) : cause, house.log))),
    );
  };
}

function gateRefusal(gate: Gate, call: ServerUnaryCall<Buffer, Buffer>): Failure | null {
  const text = (key: string) => call.metadata.get(key)[0]?.toString();
  const headers = { host: call.getHost(), authorization: text('authorization'), origin: text('origin') };
  return gate.refusal({ method: 'POST', path: call.getPath(), headers });
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
  check: { path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false, ...bytes },
  watch: { path: '/grpc.health.v1.Health/Watch', requestStream: false, responseStream: true, ...bytes },
};
