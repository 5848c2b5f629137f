import { SpanIntake } from '../src/collect/otlp/span-intake.ts';
import { decodeTracesProtobuf } from '../src/collect/otlp/traces-protobuf.ts';
import { decodedByLibrary } from '../test/conformance/otlp-messages.ts';
import { loadRequests, type SpanRequest, sendAll } from './sending.ts';
import { type MeasuredServer, startServer } from './server.ts';

export interface SpanFigures {
  readonly spans: number;
  readonly calls: number;
  readonly acceptCpuPerMillion: number;
  readonly acceptPerSecond: number;
  readonly queryableCpuPerMillion: number;
  readonly queryablePerSecond: number;
  readonly decodeCpuPerMillion: number;
  readonly decodeReferenceCpuPerMillion: number;
  readonly idleBytes: number;
  readonly peakBytes: number;
}

/** Spans accepted durably, and spans made queryable, in CPU seconds of the server process. */
export async function benchSpans(spans: number, folder: string): Promise<SpanFigures> {
  const requests = loadRequests(spans);
  const sent = requests.reduce((sum, request) => sum + request.spans, 0);
  const accept = await startServer(`${folder}/accept`, [14700, 14318], { TAXIMETER_LOAD_EVERY_MS: '86400000' });
  const idleBytes = accept.memory().now;
  const accepted = await measure(accept, () => sendAll(accept, requests));
  await accept.stop();
  const whole = await startServer(`${folder}/whole`, [14700, 14318], {});
  const queryable = await measure(whole, async () => {
    await sendAll(whole, requests);
    await fetch(`${whole.api}/api/v1/settle`, { method: 'POST' });
  });
  const usage = (await (await fetch(`${whole.api}/api/v1/usage?from=2026-10-01&to=2026-12-01`)).json()) as {
    calls: number;
  };
  const peakBytes = whole.memory().peak;
  await whole.stop();
  return {
    spans: sent,
    calls: usage.calls,
    acceptCpuPerMillion: (accepted.cpu / sent) * 1e6,
    acceptPerSecond: sent / accepted.seconds,
    queryableCpuPerMillion: (queryable.cpu / sent) * 1e6,
    queryablePerSecond: sent / queryable.seconds,
    ...benchDecoders(requests),
    idleBytes,
    peakBytes,
  };
}

async function measure(server: MeasuredServer, work: () => Promise<void>): Promise<{ cpu: number; seconds: number }> {
  const [cpu, start] = [server.cpuSeconds(), performance.now()];
  await work();
  return { cpu: server.cpuSeconds() - cpu, seconds: (performance.now() - start) / 1000 };
}

/**
 * What decoding alone costs, into rows with our decoder and into messages with the well-kept library: the same part of the
 * requests, each decoder warmed up on that part first, so that neither is measured while it is still being compiled.
 */
function benchDecoders(
  requests: readonly SpanRequest[],
): Pick<SpanFigures, 'decodeCpuPerMillion' | 'decodeReferenceCpuPerMillion'> {
  const part = requests.slice(0, Math.max(1, Math.ceil(requests.length / 10)));
  const spans = part.reduce((sum, request) => sum + request.spans, 0);
  const intake = new SpanIntake();
  const ours = (bytes: Buffer) => {
    intake.begin(Buffer.alloc(0));
    decodeTracesProtobuf(bytes, intake);
  };
  const theirs = (bytes: Buffer) => decodedByLibrary('ExportTraceServiceRequest', bytes);
  const cpuPerMillion = (decode: (bytes: Buffer) => unknown) => {
    for (const { bytes } of part) decode(bytes);
    const start = process.cpuUsage();
    for (const { bytes } of part) decode(bytes);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / spans;
  };
  return { decodeCpuPerMillion: cpuPerMillion(ours), decodeReferenceCpuPerMillion: cpuPerMillion(theirs) };
}
