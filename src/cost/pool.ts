import { z } from 'zod';
import { assert, drivers, LARGEST_AMOUNT, parseDecimal } from '../model/index.ts';

const MOST_STEPS = 4;
const HUNDRED = 100_000_000n;

const text = z.string().min(1).max(500);
const poolId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be a short name of letters, digits, dot, dash');
const values = z.union([text, z.array(text).min(1).max(1000)]);
const condition = z.union([values, z.strictObject({ not: values })]);
const columnName = z
  .string()
  .regex(/^(Tags\..{1,200}|[A-Za-z_][A-Za-z0-9_]{0,99})$/, 'must be a FOCUS column or Tags.<key>');
const services = z.array(text).min(1).max(1000).optional();

/** A decimal text with so many decimals at most, within limits. */
export function decimal(
  digits: number,
  example: string,
  { most = LARGEST_AMOUNT / 10n ** BigInt(18 - digits), isSigned = false } = {},
) {
  return z.string().refine((value) => {
    const parsed = parseDecimal(value, digits);
    if (parsed === null || parsed === 'too large' || parsed.isRounded) return false;
    return parsed.value <= most && parsed.value >= (isSigned ? -most : 0n);
  }, `must be a decimal number in quotes with at most ${digits} decimals, such as '${example}'`);
}

const amount = decimal(18, '12000.00', { isSigned: true });
const percents = z
  .record(text, decimal(6, '33.5', { most: HUNDRED }))
  .refine((shares) => percentSum(shares) === HUNDRED, 'percentages must make 100');
const factors = z.record(text, decimal(6, '2.5', { most: 10n ** 12n })).optional();
const spread = z.enum(['period', 'hours']).default('period');
const per = z.enum(['month', 'day', 'year']);

/** What parts are made by: of services or tenants, a text is the name of a metric; `even` is none. */
const measure = z.union([
  text,
  z.strictObject({ metric: text }),
  z.strictObject({ driver: z.enum(drivers) }),
  z.strictObject({ meter: text, group: text }),
  z.strictObject({ percent: percents }),
]);
const step = z.strictObject({ over: z.enum(['service', 'tenant']), by: measure });

export const idlePolicy = z.union([z.enum(['show', 'share']), z.strictObject({ tenant: text })]);

const people = z
  .strictObject({
    hours: decimal(6, '120.5').optional(),
    rate: decimal(12, '85.00').optional(),
    fte: decimal(6, '1.5').optional(),
    salary: decimal(12, '96000.00').optional(),
    per,
    spread,
  })
  .refine(
    ({ hours, rate, fte, salary }) =>
      [hours, rate].every((value) => value !== undefined) !== [fte, salary].every((value) => value !== undefined) &&
      (hours === undefined) === (rate === undefined) &&
      (fte === undefined) === (salary === undefined),
    'must have either hours and rate, or fte and salary (of a year)',
  );

const oneOff = z
  .strictObject({ amount, from: z.string(), to: z.string() })
  .refine(
    ({ from, to }) => isDay(from) && isDay(to) && from < to,
    'from and to must be days such as 2026-01-01, to after from',
  );

export const poolSpec = z.strictObject({
  id: poolId,
  kind: z.enum(['direct', 'indirect']),
  match: z
    .record(columnName, condition)
    .refine((columns) => Object.keys(columns).length > 0, 'match must name a column')
    .optional(),
  fixed: z.strictObject({ amount, per, spread }).optional(),
  people: people.optional(),
  oneOff: oneOff.optional(),
  fees: z
    .strictObject({
      vendors: z.array(text).min(1).max(1000).optional(),
      prices: z.record(text, decimal(12, '0.0065')).optional(),
    })
    .optional(),
  metered: z.strictObject({ meter: text, price: decimal(12, '0.008') }).optional(),
  split: z.union([step, z.array(step).min(1).max(MOST_STEPS)]).optional(),
  into: z
    .strictObject({
      pools: z.array(poolId).min(1).max(100),
      by: z.union([
        z.enum([...drivers, 'even']),
        z.strictObject({ metric: text }),
        z.strictObject({ percent: percents }),
      ]),
    })
    .optional(),
  weights: z.strictObject({ tenants: factors, endpoints: factors }).optional(),
  idle: idlePolicy.optional(),
  driver: z.enum([...drivers, 'even']).optional(),
  services,
});

export type Pool = z.infer<typeof poolSpec>;
export type Condition = z.infer<typeof condition>;
export type Step = z.infer<typeof step>;
export type IdlePolicy = z.infer<typeof idlePolicy>;
/** What a pool's last step shares by: `even` is the same for everybody who called. */
export type PoolDriver = NonNullable<Pool['driver']>;

/** Where a pool's money may come from. One of them, or what other pools pass on. */
export const origins = ['match', 'fixed', 'people', 'oneOff', 'fees', 'metered'] as const;

/** A pool's steps, none or several, in order. */
export function stepsOf({ split }: Pick<Pool, 'split'>): readonly Step[] {
  return split === undefined ? [] : [split].flat();
}

/** The meters that a pool asks for. */
export function metersIn(pool: Pool): string[] {
  const split = stepsOf(pool).flatMap(({ by }) => (typeof by === 'object' && 'meter' in by ? [by.meter] : []));
  return [...(pool.metered ? [pool.metered.meter] : []), ...split];
}

/** A decimal text that was checked before, as a whole number of 10^-digits. */
export function scaledDecimal(text: string, digits: number): bigint {
  const parsed = parseDecimal(text, digits);
  assert(parsed !== null && parsed !== 'too large' && !parsed.isRounded, 'a checked document has exact numbers');
  return parsed.value;
}

function percentSum(shares: Readonly<Record<string, string>>): bigint {
  return Object.values(shares).reduce((sum, share) => {
    const parsed = parseDecimal(share, 6);
    return sum + (parsed === null || parsed === 'too large' ? 0n : parsed.value);
  }, 0n);
}

function isDay(value: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(value) && new Date(`${value}T00:00:00Z`).toISOString().startsWith(value);
}
