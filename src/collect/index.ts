export { type BoundarySpec, boundarySpec } from './boundary.ts';
export { Collector, type CollectorConfig, type CollectorCounts, type Encoding } from './collect.ts';
export { type LogLine, parseCombined } from './combined-log.ts';
export { unpack } from './decompress.ts';
export { type LogSource, parseTenantFrom, type TenantFrom } from './log-encode.ts';
export { detectLogFormat } from './logs/detect.ts';
export { findLogFormat, logFormatNames } from './logs/formats.ts';
export {
  type LineParser,
  type LineRefusal,
  type LogFormat,
  type LogLine as AccessLogLine,
  lineRefusals,
  type Parsed,
} from './logs/log-line.ts';
export { shownLogLine } from './logs/shown.ts';
export type { Decoded } from './otlp-traces-protobuf.ts';
export { type Refusal, RefusalCount, refusals } from './refusal.ts';
