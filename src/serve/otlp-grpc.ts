import { type handleUnaryCall, Metadata, Server, type ServiceDefinition, status } from '@grpc/grpc-js';
import type { Failure } from '../model/index.ts';
import type { Patience } from './bind.ts';
import type { Gate } from './gate.ts';
import { GrpcArrivals, type RpcStatus } from './grpc-arrivals.ts';
import { listening } from './grpc-listening.ts';
import type { House } from './house.ts';
import type { OtlpSignal } from './otlp.ts';
import { exportResponse, rpcStatus } from './otlp-answer.ts';
import { asFailure } from './problem.ts';

const services: Readonly<Record<OtlpSignal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
};

/** gRPC's codes for the statuses of failures; what may pass later is UNAVAILABLE, which senders retry. */
const codes: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  413: status.RESOURCE_EXHAUSTED,
};

const RETRY_SECONDS = 5;
const ARRIVE_MS = 30_000;
const IDLE_MS = 300_000;
const STREAMS_OF_A_CONNECTION = 100;

/**
 * Opens the listener for OTLP/gRPC, without TLS, as the other listeners are.
 *
 * Gives  a function that stops it: no new requests, those under way are finished.
 * Fails  PORT_IN_USE.
 * From   OTLP specification: UNAVAILABLE is retried; RESOURCE_EXHAUSTED without a RetryInfo, INVALID_ARGUMENT and others are not.
 */
export async function openOtlpGrpc(
  house: House,
  gate: Gate,
  host: string,
  port: number,
  patience: Patience,
): Promise<() => Promise<void>> {
  const arrivals = new GrpcArrivals(house.bodies, {
    refusal: (path, authority, metadata) => {
      const text = (key: string) => metadata.get(key)[0]?.toString();
      const headers = { host: authority, authorization: text('authorization'), origin: text('origin') };
      return gate.refusal({ method: 'POST', path, headers });
    },
    statusOf,
    withinMs: Math.min(patience.bodyMs, ARRIVE_MS),
  });
  const server = new Server({
    interceptors: [arrivals.interceptor],
    // Holds for a message as it comes, and again while it is unpacked.
    'grpc.max_receive_message_length': house.limits.bodyBytes,
    'grpc.max_concurrent_streams': STREAMS_OF_A_CONNECTION,
    'grpc.keepalive_time_ms': patience.idleMs,
    'grpc.keepalive_timeout_ms': patience.headMs,
    'grpc.max_connection_idle_ms': IDLE_MS,
    'grpc.enable_channelz': 0,
  });
  for (const signal of Object.keys(services) as OtlpSignal[]) {
    server.addService(definition(services[signal]), { Export: exporter(house, signal, arrivals) });
  }
  return await listening(server, host, port);
}

/** The decoders take bytes, so gRPC leaves them as they are. */
function definition(service: string): ServiceDefinition {
  const asIs = (bytes: Buffer) => bytes;
  const bytes = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  return { Export: { path: `/${service}/Export`, requestStream: false, responseStream: false, ...bytes } };
}

function exporter(house: House, signal: OtlpSignal, arrivals: GrpcArrivals): handleUnaryCall<Buffer, Buffer> {
  const answered = async (request: Buffer) => {
    const { refused } = await house.collector[signal](request, 'protobuf');
    return exportResponse(refused.total, refused.toString());
  };
  return ({ request, metadata }, answer) => {
    const giveBack = arrivals.take(metadata);
    void answered(request)
      .then((response) => answer(null, response))
      .catch((cause: unknown) => answer(statusOf(asFailure(cause, house.log))))
      .finally(giveBack);
  };
}

function statusOf(failure: Failure): RpcStatus {
  const code = codes[failure.status] ?? status.UNAVAILABLE;
  const details = `${failure.code}: ${failure.message}`;
  if (code !== status.UNAVAILABLE) return { code, details };
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', rpcStatus(code, details, RETRY_SECONDS));
  return { code, details, metadata };
}
