export { assert, BrokenClaim } from './assert.ts';
export { compareUtf8, type Driver, drivers, measuredDrivers, SpanKind, UNKNOWN_TENANT, WEIGHT_ONE } from './call.ts';
export { csvLine } from './csv.ts';
export { Failure, type FailureCode, fail, failures, type Problem } from './failure.ts';
export { grouped } from './grouped.ts';
export {
  ATTO,
  ATTO_DIGITS,
  divideHalfEven,
  formatMoney,
  isCurrencyCode,
  LARGEST_AMOUNT,
  type ParsedMoney,
  parseDecimal,
  parseMoney,
} from './money.ts';
export {
  type BillingMonth,
  formatInstant,
  isTimeZone,
  knownTimes,
  MILLIS_PER_HOUR,
  MILLIS_PER_MINUTE,
  monthOf,
  monthsOf,
  NANOS_PER_MILLI,
  parseInstant,
  parseMonth,
  parseRange,
  type TimeRange,
} from './time.ts';
