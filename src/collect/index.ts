export { type BoundarySpec, boundarySpec } from './boundary.ts';
export { Collector, type CollectorConfig, type CollectorCounts, type Encoding } from './collect.ts';
export { type LogLine, parseCombined } from './combined-log.ts';
export { unpack } from './decompress.ts';
export { type LogSource, parseTenantFrom, type TenantFrom } from './log-encode.ts';
export type { Decoded } from './otlp-traces-protobuf.ts';
export { type Refusal, RefusalCount, refusals } from './refusal.ts';
