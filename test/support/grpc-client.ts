import type { ClientOptions } from '@grpc/grpc-js';
import { Client, credentials, type Metadata, type ServiceError } from '@grpc/grpc-js';

/** What a call was answered with, or why it was not. */
export interface GrpcAnswer {
  /** 0 is OK. */
  readonly code: number;
  readonly details: string;
  readonly bytes: Buffer;
  /** A google.rpc.Status, where there is one. */
  readonly status: Buffer | null;
}

export const otlpMethods = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
} as const;

/** A client of plain bytes, with and without gzip. */
export class GrpcClient {
  readonly #client: Client;

  constructor(port: number, options: ClientOptions = {}) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), options);
  }

  static gzipping(port: number): GrpcClient {
    return new GrpcClient(port, { 'grpc.default_compression_algorithm': 2 });
  }

  call(path: string, request: Uint8Array, metadata: Metadata): Promise<GrpcAnswer> {
    const asIs = (bytes: Buffer) => bytes;
    return new Promise((done) => {
      const options = { deadline: Date.now() + 300_000 };
      const answered = (cause: ServiceError | null, bytes?: Buffer) => {
        const status = cause?.metadata.get('grpc-status-details-bin')[0];
        const { code = 0, details = '' } = cause ?? {};
        done({ code, details, bytes: bytes ?? Buffer.alloc(0), status: status ? Buffer.from(status) : null });
      };
      this.#client.makeUnaryRequest(path, asIs, asIs, Buffer.from(request), metadata, options, answered);
    });
  }

  close(): void {
    this.#client.close();
  }
}
