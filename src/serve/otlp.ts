import { unpack } from '../collect/index.ts';
import { type Failure, fail } from '../model/index.ts';
import type { House } from './house.ts';
import { exportResponse, rpcStatus } from './otlp-answer.ts';
import { asFailure } from './problem.ts';

/** An answer in the sender's own encoding. */
export interface OtlpAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

export type OtlpSignal = 'traces' | 'metrics' | 'logs';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

/** What a partial success says that was refused. */
const rejectedFields: Readonly<Record<OtlpSignal, string>> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
};

/** gRPC codes of google.rpc.Status for the statuses that we answer. */
const rpcCodes: Record<number, number> = { 400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 429: 8, 503: 14 };

export function otlpSignal(path: string): OtlpSignal | null {
  const signal = path.startsWith('/v1/') ? path.slice(4) : '';
  return Object.hasOwn(rejectedFields, signal) ? (signal as OtlpSignal) : null;
}

/** An OTLP/HTTP request, from the network or from a command in this process. Headers are empty when absent. */
export interface OtlpRequest {
  readonly signal: OtlpSignal;
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly contentLength: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Answers an OTLP/HTTP request.
 *
 * Gives  200 after the data is safe on the disk; partial_success only when something was refused.
 * From   OTLP specification: senders retry exactly 429, 502, 503 and 504, so what may pass later is a 503.
 */
export async function answerOtlp(house: House, request: OtlpRequest): Promise<OtlpAnswer> {
  const { signal } = request;
  const type = request.contentType.split(';', 1)[0]!.trim().toLowerCase();
  const isJson = type === JSON_TYPE;
  try {
    if (!isJson && type !== PROTOBUF) throw fail('BODY_TYPE_UNSUPPORTED', { contentType: type.slice(0, 60) });
    const { bytes, giveBack } = await house.bodies.read(request.body, request.contentLength);
    try {
      const unpacked = await unpack(bytes, request.contentEncoding.trim().toLowerCase(), house.limits.bodyBytes);
      const { refused } = await house.collector[signal](unpacked, isJson ? 'json' : 'protobuf');
      return success(isJson, signal, refused.total, refused.toString());
    } finally {
      giveBack();
    }
  } catch (cause) {
    return failure(isJson, asFailure(cause, house.log));
  }
}

/** A refusal that comes before the body is read, in the sender's encoding. */
export function refuseOtlp(contentType: string, cause: Failure): OtlpAnswer {
  return failure(contentType.startsWith(JSON_TYPE), cause);
}

function success(isJson: boolean, signal: OtlpSignal, rejected: number, message: string): OtlpAnswer {
  if (isJson) {
    const refused = { [rejectedFields[signal]]: String(rejected), errorMessage: message };
    const partial = rejected === 0 ? {} : { partialSuccess: refused };
    return answer(200, JSON_TYPE, Buffer.from(JSON.stringify(partial)));
  }
  return answer(200, PROTOBUF, exportResponse(rejected, message));
}

function failure(isJson: boolean, cause: Failure): OtlpAnswer {
  const status = cause.status === 500 ? 503 : cause.status;
  const code = rpcCodes[status] ?? 2;
  const message = `${cause.code}: ${cause.message}`;
  const body = isJson ? Buffer.from(JSON.stringify({ code, message })) : rpcStatus(code, message);
  const result = answer(status, isJson ? JSON_TYPE : PROTOBUF, body);
  return status === 503 ? { ...result, headers: { ...result.headers, 'retry-after': '5' } } : result;
}

function answer(status: number, type: string, body: Buffer): OtlpAnswer {
  return { status, headers: { 'content-type': type, 'content-length': String(body.length) }, body };
}
