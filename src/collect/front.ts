// What commands use of this room without its engines: formats of logs, and what settings may say.
export { type EventPrivacy, eventPrivacies } from './events/event-privacy.ts';
export { detectLogFormat } from './logs/detect.ts';
export { findLogFormat, logFormatNames } from './logs/formats.ts';
export type { LineParser, LogFormat } from './logs/log-line.ts';
export { shownLogLine } from './logs/shown.ts';
export { REQUEST_SLOTS, requestIdKeys } from './otlp/attributes.ts';
export { LEAST_DAYS, readPeriod } from './retention/period.ts';
export { type WeightFallback, weightFallbacks } from './weight.ts';
