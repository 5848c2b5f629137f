import { z } from 'zod';
import { isCurrencyCode, isTimeZone, parseDecimal, parseInstant } from '../../model/index.ts';
import { levels } from '../subject.ts';
import { duration, durationUs } from './duration.ts';

/** Every amount and cost is below this, so that a sum of two is still a whole number of a double, also in a store's script. */
export const LARGEST_UNITS = 2 ** 52;

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be a short name of letters, digits, dot, dash');
const globs = z.array(z.string().min(1).max(512)).min(1).max(1000);
const whole = z.number().int().min(0).max(LARGEST_UNITS);
/** Says whether a text is an instant; for schemas, which want to know and not to fail. */
function isInstant(text: string): boolean {
  try {
    return Number.isFinite(parseInstant(text));
  } catch {
    return false;
  }
}

/** A time in a document. */
export const instant = z.string().refine(isInstant, 'must be a time such as 2026-08-01 or 2026-08-01T03:00:00Z');

/** Money that is not negative; how many decimals count is said beside it. */
const money = z.string().refine((text) => {
  const parsed = parseDecimal(text, 18);
  return parsed !== null && parsed !== 'too large' && parsed.value >= 0n && !parsed.isRounded;
}, "must be a decimal number in quotes, such as '100.00'");

const match = z.strictObject({
  organisations: globs.optional(),
  tenants: globs.optional(),
  consumers: globs.optional(),
  endpoints: globs.optional(),
});

const calendarUnits = ['day', 'week', 'month', 'year', 'anniversary'] as const;

const window = z
  .strictObject({
    fixed: duration.optional(),
    rolling: duration.optional(),
    parts: z.number().int().min(1).max(1440).default(96),
    calendar: z.enum(calendarUnits).optional(),
    zone: z.string().refine(isTimeZone, 'is not a time zone of the IANA database').default('UTC'),
    anchor: z
      .string()
      .regex(/^(\d{1,2}|\d{2}-\d{2}|mon|tue|wed|thu|fri|sat|sun)$/, 'must be a day')
      .optional(),
    every: z.enum(['month', 'year']).default('month'),
  })
  .superRefine((value, context) => {
    const said = [value.fixed, value.rolling, value.calendar].filter((kind) => kind !== undefined);
    if (said.length !== 1) context.addIssue({ code: 'custom', message: 'must say one of fixed, rolling, calendar' });
    const problem = value.anchor === undefined ? null : anchorProblem(value.calendar, value.anchor);
    if (problem !== null) context.addIssue({ code: 'custom', path: ['anchor'], message: problem });
    if (value.rolling !== undefined && durationUs(value.rolling) / value.parts < 1000)
      context.addIssue({ code: 'custom', path: ['parts'], message: 'a part must be at least a millisecond long' });
  });

/** An anchor says on which day a calendar window begins: `31` of a month, `02-29` of a year, `sun` of a week. */
function anchorProblem(calendar: string | undefined, anchor: string): string | null {
  const [month = 0, day = 0] = anchor.split('-').map(Number);
  const fits: Record<string, boolean> = {
    month: /^\d{1,2}$/.test(anchor) && month >= 1 && month <= 31,
    year: /^\d{2}-\d{2}$/.test(anchor) && month >= 1 && month <= 12 && day >= 1 && day <= 31,
    week: /^[a-z]{3}$/.test(anchor),
  };
  return fits[calendar ?? ''] === true ? null : 'must fit the calendar: 1 to 31 (month), 02-29 (year), sun (week)';
}

const limit = z
  .strictObject({
    id: name,
    amount: z.union([whole, money, z.strictObject({ plan: name })]),
    unit: name.default('requests'),
    rate: z.strictObject({ per: duration, burst: whole.min(1).optional() }).optional(),
    window: window.optional(),
    concurrency: z.literal(true).optional(),
    money: z
      .strictObject({
        currency: z.string().refine(isCurrencyCode, 'must be an ISO 4217 code such as USD'),
        decimals: z.number().int().min(0).max(9).default(9),
        assumedCost: money.optional(),
      })
      .optional(),
    warnAt: z.array(z.number().int().min(1).max(100)).max(5).default([]),
    overdraft: z.strictObject({ percent: z.number().int().min(1).max(1000), grace: duration.optional() }).optional(),
  })
  .superRefine((value, context) => {
    for (const problem of limitProblems(value)) context.addIssue({ code: 'custom', ...problem });
  });

interface RawLimit {
  readonly amount: number | string | { readonly plan: string };
  readonly rate?: { readonly per: string; readonly burst?: number };
  readonly window?: object;
  readonly concurrency?: true;
  readonly money?: { readonly decimals: number };
  readonly overdraft?: { readonly percent: number };
}

function* limitProblems(value: RawLimit): Generator<{ path?: string[]; message: string }> {
  const { amount, rate, window, concurrency, money, overdraft } = value;
  if ([rate, window, concurrency].filter((kind) => kind !== undefined).length !== 1)
    yield { message: 'must say one of rate, window, concurrency' };
  if (money !== undefined && window === undefined) yield { path: ['money'], message: 'needs a window' };
  if (overdraft !== undefined && window === undefined) yield { path: ['overdraft'], message: 'needs a window' };
  if (money === undefined && typeof amount === 'string')
    yield { path: ['amount'], message: 'must be a whole number; text is for money' };
  if (money !== undefined && typeof amount === 'number')
    yield { path: ['amount'], message: "money must be text such as '100.00'" };
  if (money !== undefined && typeof amount === 'string' && moneyUnits(amount, money.decimals) >= LARGEST_UNITS)
    yield { path: ['amount'], message: `is too large for ${money.decimals} decimals; say fewer with money.decimals` };
  const units =
    typeof amount === 'number' ? amount : money && typeof amount === 'string' ? moneyUnits(amount, money.decimals) : 0;
  if (overdraft !== undefined && (units / 100) * (100 + overdraft.percent) >= LARGEST_UNITS)
    yield { path: ['overdraft'], message: 'is too large on top of this amount to count exactly' };
  if (rate === undefined) return;
  if (typeof amount === 'object') yield { path: ['amount'], message: 'a rate cannot come from a plan' };
  else if (amount === 0) yield { path: ['amount'], message: 'a rate must be at least 1; forbid with a window of 0' };
  const burst = rate.burst ?? (typeof amount === 'number' ? amount : 0);
  if (burst * ticksOf(durationUs(rate.per)) >= LARGEST_UNITS)
    yield { path: ['rate'], message: 'burst times length is too large to count exactly' };
}

/** Short rates are counted in microseconds, longer ones in milliseconds: burst x ticks must stay a whole number of a double. */
export function tickUs(perUs: number): number {
  return perUs <= 60_000_000 ? 1 : 1_000;
}

function ticksOf(perUs: number): number {
  return perUs / tickUs(perUs);
}

/** Money in units of 10^-decimals, rounded up: what is counted is never less than what is spent. */
export function moneyUnits(text: string, decimals: number): number {
  const parsed = parseDecimal(text, 18);
  if (parsed === null || parsed === 'too large') return Number.POSITIVE_INFINITY;
  return attoUnits(parsed.value, decimals);
}

/** The same from atto-units. */
export function attoUnits(amountAtto: bigint, decimals: number): number {
  const unit = 10n ** BigInt(18 - decimals);
  return Number((amountAtto + unit - 1n) / unit);
}

const override = z
  .strictObject({
    match,
    limits: z.record(name, z.union([whole, money])),
    from: instant.optional(),
    until: instant,
    reason: z.string().min(1).max(1000),
  })
  .refine((value) => Object.keys(value.limits).length > 0, 'limits must name one');

/** The spec of a LimitPolicy document. */
export const limitPolicySpec = z
  .strictObject({
    match: match.default({}),
    per: z.array(z.enum(levels)).max(4).default(['tenant']),
    limits: z.array(limit).min(1).max(16),
    weights: z.record(z.string().min(1).max(512), z.number().int().min(0).max(1_000_000)).default({}),
    mode: z.enum(['enforce', 'shadow']).default('enforce'),
    enforcePercent: z.number().int().min(0).max(100).default(100),
    from: instant.optional(),
    until: instant.optional(),
    onStoreFailure: z.enum(['open', 'closed', 'lease']).default('closed'),
    localCap: whole.optional(),
    overrides: z.array(override).max(1000).default([]),
  })
  .superRefine((spec, context) => {
    const ids = new Set<string>();
    const add = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    spec.limits.forEach(({ id, amount }, place) => {
      if (ids.has(id)) add(['limits', place, 'id'], `${id} is used twice`);
      ids.add(id);
      if (typeof amount === 'object' && !spec.per.includes('tenant') && !spec.per.includes('organisation'))
        add(['limits', place, 'amount'], 'an amount of a plan needs per tenant or organisation');
    });
    if (new Set(spec.per).size !== spec.per.length) add(['per'], 'names a level twice');
    if (spec.onStoreFailure === 'open' && spec.localCap === undefined)
      add(['localCap'], 'open needs a localCap: how many units one node admits a minute while the store is away');
    spec.overrides.forEach(({ limits }, place) => {
      for (const id of Object.keys(limits)) {
        const base = spec.limits.find((each) => each.id === id);
        if (base === undefined) add(['overrides', place, 'limits', id], 'is no limit of this policy');
        else if ((base.money !== undefined) !== (typeof limits[id] === 'string'))
          add(['overrides', place, 'limits', id], 'must be written as the amount of this limit is');
        else if (base.rate !== undefined && Number(limits[id]) < 1)
          add(['overrides', place, 'limits', id], 'a rate must be at least 1');
      }
    });
  });

export type LimitPolicySpec = z.infer<typeof limitPolicySpec>;
export type LimitSpec = LimitPolicySpec['limits'][number];
export type MatchSpec = z.infer<typeof match>;
