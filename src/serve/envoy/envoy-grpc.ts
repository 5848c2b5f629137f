import { type Failure, fail } from '../../model/index.ts';
import type { Patience } from '../bind.ts';
import type { Gate } from '../gate.ts';
import type { House } from '../house.ts';
import { asFailure } from '../problem.ts';
import { checkAuthorization, shouldRateLimit } from './envoy-decisions.ts';
import { GRPC, type GrpcStatus, listenUnary, type UnaryLimits } from './unary-grpc.ts';

const limits: UnaryLimits = {
  /** A request names a few things; a larger one is somebody else's. */
  messageBytes: 256 << 10,
  totalBytes: 128 << 20,
  /** A proxy has one connection for each of its threads, with all of its requests under way. */
  streamsOfConnection: 1_000,
  /** Whoever watches the health stays until it goes away, and needs no token. */
  watching: 1_000,
  /** A caller sends its message with the head of the call. */
  arriveMs: 5_000,
};

type Answer = (house: House, request: Uint8Array) => Promise<Uint8Array>;

/** HealthCheckResponse { 1: SERVING }. */
const SERVING = Buffer.from([8, 1]);
const HEALTH = '/grpc.health.v1.Health/';

const methods: ReadonlyMap<string, Answer> = new Map([
  ['/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit', shouldRateLimit],
  ['/envoy.service.auth.v3.Authorization/Check', checkAuthorization],
  [`${HEALTH}Check`, async () => SERVING],
]);

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
  const service = {
    refusal: (path: string, { ':authority': host, authorization, origin }: Record<string, unknown>) => {
      if (path.startsWith(HEALTH)) return null;
      const headers = { host: text(host), authorization: text(authorization), origin: text(origin) };
      return gate.refusal({ method: 'POST', path, headers });
    },
    methodOf: (path: string) => {
      const answer = methods.get(path);
      return answer === undefined ? null : (message: Buffer) => answer(house, message);
    },
    watched: (path: string) => (path === `${HEALTH}Watch` ? SERVING : null),
    statusOf: (cause: unknown) =>
      statusOf(asFailure(isMalformed(cause) ? fail('BODY_MALFORMED', {}, [], cause) : cause, house.log)),
  };
  const arriveMs = Math.min(patience.bodyMs, limits.arriveMs);
  return listenUnary(service, { ...limits, arriveMs }, host, port, patience);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** What the reader of protobuf throws at bytes that are no message. */
function isMalformed(cause: unknown): boolean {
  return cause instanceof RangeError || (cause instanceof Error && cause.constructor === Error);
}

const codes: Readonly<Record<number, number>> = {
  400: GRPC.invalidArgument,
  401: GRPC.unauthenticated,
  403: GRPC.permissionDenied,
  413: GRPC.resourceExhausted,
  415: GRPC.unimplemented,
};

/** Envoy has a setting of its own for what happens when nobody answers; so whatever is no fault of the request is UNAVAILABLE. */
function statusOf(failure: Failure): GrpcStatus {
  return { code: codes[failure.status] ?? GRPC.unavailable, details: `${failure.code}: ${failure.message}` };
}
