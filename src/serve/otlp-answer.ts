/** Messages that OTLP answers with, in protobuf: few and small, so they are put together by hand. */

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/** An Export...ServiceResponse of any signal: empty, or with its partial success { 1: rejected, 2: message }. */
export function exportResponse(rejected: number, message: string): Buffer {
  return rejected === 0 ? Buffer.alloc(0) : bytes(1, Buffer.concat([number(1, rejected), bytes(2, message)]));
}

/** A google.rpc.Status { 1: code, 2: message, 3: details }, with a RetryInfo where it says after how long to try again. */
export function rpcStatus(code: number, message: string, retrySeconds?: number): Buffer {
  const status = Buffer.concat([number(1, code), bytes(2, message)]);
  if (retrySeconds === undefined) return status;
  const retryInfo = bytes(1, number(1, retrySeconds));
  return Buffer.concat([status, bytes(3, Buffer.concat([bytes(1, RETRY_INFO), bytes(2, retryInfo)]))]);
}

function number(field: number, value: number): Buffer {
  return Buffer.from([field << 3, ...varint(value)]);
}

function bytes(field: number, content: string | Buffer): Buffer {
  const held = Buffer.from(content);
  return Buffer.concat([Buffer.from([(field << 3) | 2, ...varint(held.length)]), held]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}
