/**
 * Every way in which Taximeter fails its caller, in one table: the HTTP status, what to say, what to do.
 * docs/reference/failures.md is checked against it. Refusals on the data path are values, not failures.
 */
export const failures = {
  MONEY_MALFORMED: [400, 'this is not an amount of money', 'Write a plain decimal number such as 12.34.'],
  MONEY_TOO_LARGE: [400, 'this amount is too large to keep exact', 'Amounts up to 10^15 are taken.'],
  TIME_MALFORMED: [400, 'this is not a time', 'Write 2022-08-01 or 2022-08-01T03:00:00Z.'],
  RANGE_EMPTY: [400, 'the range ends before it begins', 'Give a --to that lies after --from.'],
  RANGE_TOO_LONG: [400, 'the range is too long for this window', 'Ask for a shorter range or a wider window.'],
  RANGE_DROPPED: [410, 'what was asked for is no longer kept', 'Begin the range where what is kept begins.'],
  RANGE_TOO_FINE: [
    409,
    'of this time only sums by the hour are kept',
    'Give a range or charge periods of whole hours.',
  ],
  PARAMETER_INVALID: [400, 'a parameter is not usable', 'See the API description at /api/docs.'],
  BODY_MALFORMED: [400, 'the body cannot be decoded', 'Send what the Content-Type says.'],
  BODY_INCOMPLETE: [400, 'the body broke off before its end', 'Send it again.'],
  BODY_TOO_LARGE: [413, 'the body is larger than allowed', 'Send smaller batches, or raise the limit.'],
  EVENTS_INVALID: [400, 'the events have errors', 'Mend the fields named and send all of them again.'],
  BODY_TYPE_UNSUPPORTED: [415, 'this content type is not taken here', 'See the API description at /api/docs.'],
  DOCUMENT_INVALID: [422, 'the document has errors', 'Mend the lines named and apply it again.'],
  FORMAT_UNKNOWN: [400, 'the format of this input is not recognised', 'Name it with --format.'],
  FILE_UNREADABLE: [400, 'the file cannot be read', 'Check its path and permissions.'],
  FILE_DAMAGED: [400, 'the file is damaged or cut short', 'Fetch it again.'],
  BILL_INVALID: [422, 'the bill cannot be taken', 'Mend the rows named; nothing was stored.'],
  BILL_SMALLER: [409, 'this export is smaller than the one it would replace', 'Use --replace if that is meant.'],
  BILL_OVERLAPS: [
    409,
    'another export of the same account is in force for an overlapping billing period',
    'Import that export again, or use --replace to put this one in its place.',
  ],
  BILL_BUSY: [409, 'another import changed the same bill at the same time', 'Import it again.'],
  CURRENCY_MIXED: [409, 'several currencies would be added up', 'Ask for one currency at a time.'],
  COST_NO_WEIGHT: [500, 'there is nobody to share this amount', 'This is a fault in Taximeter; please report it.'],
  RATE_MISSING: [
    409,
    'there is no exchange rate for every day',
    'Apply a CurrencyRates document that has the days named.',
  ],
  RATE_AMBIGUOUS: [
    409,
    'two documents give different exchange rates for one day',
    'Apply the rates so that one document says it.',
  ],
  METER_EXISTS: [409, 'there is a meter of this name already', 'Choose another slug, or change that meter.'],
  PERIOD_UNBALANCED: [409, 'the identity does not hold for this period', 'Run allocate, then reconcile to see why.'],
  PERIOD_INCOMPLETE: [409, 'the period cannot be closed yet', 'See the reasons; mend them or wait for the bill.'],
  AS_OF_UNKNOWN: [400, 'this cannot be said as of a past date', 'Ask without --as-of, or for cost or reconcile.'],
  LEDGER_DAMAGED: [500, 'the ledger is not what was posted', 'Compare it with an export; restore a backup.'],
  NOT_FOUND: [404, 'there is nothing here', 'See the API description at /api/docs.'],
  METHOD_NOT_ALLOWED: [405, 'this method is not taken here', 'See the API description at /api/docs.'],
  UNAUTHENTICATED: [
    401,
    'who asks is not known',
    'Sign in with the token, or send the header Authorization: Bearer with it.',
  ],
  ATTEMPTS_EXCEEDED: [429, 'too many wrong tokens were tried', 'Wait a minute, then sign in with the right one.'],
  FORBIDDEN: [403, 'this request is not allowed', 'Send it from this machine with the right token.'],
  JOURNAL_FULL: [503, 'the journal is full', 'Wait; the store is catching up. Senders retry by themselves.'],
  JOURNAL_DAMAGED: [500, 'a journal segment is damaged', 'What could be read was kept; see the log.'],
  DISK_FULL: [503, 'the disk is full', 'Free some space; senders retry by themselves.'],
  DATA_IN_USE: [409, 'another process uses this data folder', 'Stop it, or give another --data folder.'],
  DATA_TOO_NEW: [409, 'the data folder was written by a newer Taximeter', 'Start that version or a newer one.'],
  PORT_IN_USE: [409, 'a port is already in use', 'Stop what listens there, or set another port.'],
  CONFIG_INVALID: [400, 'the configuration has errors', 'Mend the settings named.'],
  LIMIT_EXCEEDED: [429, 'a limit is reached', 'Wait as long as Retry-After says, or ask for a higher limit.'],
  LIMIT_COST_TOO_LARGE: [
    403,
    'this costs more than a limit allows at all',
    'Ask for less at once; waiting does not help.',
  ],
  LIMIT_COST_UNKNOWN: [403, 'what this costs is not known', 'Send its cost, or give the limit an assumedCost.'],
  LIMIT_STORE_UNAVAILABLE: [503, 'the counters of the limits do not answer', 'Check that Redis runs; try again.'],
  LIMIT_KEYS_FULL: [503, 'there are too many counters', 'Count by fewer names, or wait until some are idle.'],
  RESERVATION_UNKNOWN: [404, 'this reservation is not known', 'It may have expired long ago; reserve again.'],
  RESERVATION_OVER: [409, 'this reservation has ended already', 'Reserve again; nothing was changed.'],
  RESERVATION_DIFFERS: [409, 'this id is reserved for something else', 'Use an id of its own for each call.'],
  REPORT_UNSENT: [
    502,
    'the report could not be sent',
    'Mend what the reason says; taximeter reports send sends it again.',
  ],
  RESERVATION_CURRENCY: [
    409,
    'this reservation counts money of another currency',
    'Commit what it cost in the currency of the limit.',
  ],
  LIMIT_REPLAYS_BUSY: [503, 'too many replays are under way', 'Wait until one of them has ended.'],
  STORE_UNAVAILABLE: [503, 'the store does not answer', 'Check that the database runs; data waits in the journal.'],
  STORE_QUERY: [500, 'a query failed', 'This is a fault in Taximeter; please report it.'],
  SERVER_BUSY: [503, 'too many bodies are waiting', 'Wait a little; senders retry by themselves.'],
  SERVER_UNREACHABLE: [503, 'the running server does not answer', 'Look at its log, or stop it and try again.'],
  INTERNAL: [500, 'something went wrong', 'This is a fault in Taximeter; please report it.'],
} as const satisfies Record<string, readonly [status: number, what: string, todo: string]>;

export type FailureCode = keyof typeof failures;

/** One thing wrong, with where it is; a failure may carry many. */
export interface Problem {
  readonly message: string;
  readonly line?: number;
  readonly path?: string;
}

/** The one error type that rooms throw on purpose; anything else thrown is a bug. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly problems: readonly Problem[];

  constructor(code: FailureCode, facts: Record<string, unknown>, problems: readonly Problem[], cause?: unknown) {
    const details = Object.entries(facts).map(([key, value]) => `${key} ${String(value)}`);
    super([failures[code][1], ...details].join('; '), { cause });
    this.name = 'Failure';
    this.code = code;
    this.facts = facts;
    this.problems = problems;
  }

  get status(): number {
    return failures[this.code][0];
  }

  get todo(): string {
    return failures[this.code][2];
  }
}

/**
 * Makes a failure to throw: `throw fail('PERIOD_UNBALANCED', { period })`.
 *
 * Takes  code: a row of the table. facts: what the reader needs, never a secret. problems: each thing wrong. cause: what was caught.
 */
export function fail(
  code: FailureCode,
  facts: Record<string, unknown> = {},
  problems: readonly Problem[] = [],
  cause?: unknown,
): Failure {
  return new Failure(code, facts, problems, cause);
}
