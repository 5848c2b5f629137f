export { type BoundarySpec, boundarySpec } from './boundary.ts';
export {
  Collector,
  type CollectorConfig,
  type CollectorCounts,
  type Encoding,
} from './collect.ts';
export { unpack } from './decompress.ts';
export { withExactNumbers } from './events/json-spans.ts';
export type { EventForm } from './events/read-events.ts';
export { detectLogFormat } from './logs/detect.ts';
export { findLogFormat } from './logs/formats.ts';
export type { LogFormat, LogLine } from './logs/log-line.ts';
export { type LogSource, parseTenantFrom, type TenantFrom } from './logs/log-source.ts';
export { type LineOrigin, type LogStretch, Quarantine, type QuarantineConfig } from './logs/quarantine.ts';
export type { QuarantineChoice } from './logs/quarantine-queries.ts';
export type { DecodedLines, MalformedLine } from './logs/take-lines.ts';
export { documentedEndpoints, type EndpointMapSpec, endpointMapSpec } from './naming/endpoint-map.ts';
export { type TenantMapSpec, tenantMapSpec } from './naming/tenant-map.ts';
export type { Decoded } from './otlp/traces-protobuf.ts';
export { templatePath } from './path-template.ts';
export { requestHash, safeLabel } from './privacy.ts';
export { type Refusal, RefusalCount, refusals } from './refusal.ts';
export { bitsOf, driverTerms } from './retention/driver-terms.ts';
export {
  checkGrain,
  checkKept,
  checkRaw,
  type KeptKind,
  type LetGo,
  readLetGo,
} from './retention/let-go.ts';
export { readPeriod } from './retention/period.ts';
export {
  type KeptDays,
  type KeptState,
  type LetGoResult,
  Retention,
  type RetentionDeps,
} from './retention/retention.ts';
export {
  callMeasures,
  measuredCalls,
  podsOfWork,
  rawWork,
  sampledWork,
  workHours,
  workTotals,
} from './retention/sources.ts';
export { RPC_STATUS, successClassSql } from './success-class.ts';
