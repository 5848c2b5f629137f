import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Ask, isName, LARGEST_UNITS, LONGEST_NAME, type RatedCost, subjectOf, TTL_US } from '../../limit/index.ts';
import { fail, isCurrencyCode, parseDecimal } from '../../model/index.ts';

export const MOST_ASKS = 1_000;

const name = z.string().max(LONGEST_NAME).refine(isName, 'must not hold control characters');
const units = z.number().int().min(0).max(LARGEST_UNITS);
const money = z.strictObject({
  amount: z
    .string()
    .max(60)
    .refine((text) => amountAtto(text) !== null, 'must be a decimal number that is not negative'),
  currency: z.string().refine(isCurrencyCode, 'must be an ISO 4217 code such as USD'),
});

/** What may be asked: who calls what, and what it costs. */
export const askBody = z.strictObject({
  organisation: name.optional(),
  tenant: name.min(1),
  consumer: name.optional(),
  endpoint: name.optional(),
  cost: units.default(1),
  money: money.optional(),
  atLeast: units.optional(),
  peek: z.boolean().default(false),
});

export const checkBody = z.union([z.strictObject({ asks: z.array(askBody).min(1).max(MOST_ASKS) }), askBody]);

const reserveOne = askBody.omit({ peek: true }).extend({
  id: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,100}$/, 'must be 1 to 100 letters, digits, dashes')
    .optional(),
  ttlSeconds: z
    .number()
    .int()
    .min(1)
    .max(TTL_US.longest / 1e6)
    .default(TTL_US.usual / 1e6),
});

export const reserveBody = z.union([z.strictObject({ asks: z.array(reserveOne).min(1).max(MOST_ASKS) }), reserveOne]);

export const settleBody = z.strictObject({
  reservation: z.string().min(1).max(3_000),
  cost: units.optional(),
  money: money.optional(),
});

type AskBody = Omit<z.infer<typeof askBody>, 'peek'> & {
  readonly peek?: boolean;
  readonly id?: string;
  readonly ttlSeconds?: number;
};

function amountAtto(text: string): bigint | null {
  const parsed = parseDecimal(text, 18);
  return parsed === null || parsed === 'too large' || parsed.value < 0n ? null : parsed.value;
}

export function moneyOf(body: z.infer<typeof money> | undefined): RatedCost | null {
  return body === undefined ? null : { amountAtto: amountAtto(body.amount)!, currency: body.currency };
}

const PLAIN_FIELDS = new Set(['tenant', 'organisation', 'consumer', 'endpoint', 'cost', 'peek']);

/**
 * Reads one ask as most of them are: a few fields, each as it should be.
 *
 * Gives  what the schema would give; null for whatever else there is, which the schema judges.
 */
export function plainAsk(value: unknown): AskBody | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  for (const field in value) if (!PLAIN_FIELDS.has(field)) return null;
  const { tenant, organisation, consumer, endpoint, cost = 1, peek = false } = value as Partial<AskBody>;
  if (typeof tenant !== 'string' || tenant === '' || !isName(tenant)) return null;
  if (!isNameOrNone(organisation) || !isNameOrNone(consumer) || !isNameOrNone(endpoint)) return null;
  if (!Number.isInteger(cost) || cost < 0 || cost > LARGEST_UNITS || typeof peek !== 'boolean') return null;
  return { organisation, tenant, consumer, endpoint, cost, peek };
}

function isNameOrNone(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && isName(value));
}

/** Reads the asks of a body. Gives  whether it was a list. Fails  BODY_MALFORMED, PARAMETER_INVALID with every problem. */
export function asksOf(bytes: Buffer, isReserved: boolean): { readonly asks: Ask[]; readonly isList: boolean } {
  const value = jsonOf(bytes);
  const plain = isReserved ? null : plainAsk(value);
  const body = plain ?? checked(value, isReserved ? reserveBody : checkBody);
  const list: readonly AskBody[] = 'asks' in body ? body.asks : [body];
  return { asks: list.map((each) => askOf(each, isReserved)), isList: 'asks' in body };
}

export function parsed<Schema extends z.ZodType>(bytes: Buffer, schema: Schema): z.infer<Schema> {
  return checked(jsonOf(bytes), schema);
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw fail('BODY_MALFORMED', { reason: 'it is not JSON' }, [], cause);
  }
}

function checked<Schema extends z.ZodType>(value: unknown, schema: Schema): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw fail(
    'PARAMETER_INVALID',
    {},
    problemsOf(result.error.issues, Array.isArray((value as { asks?: unknown })?.asks)),
  );
}

/** Of the two forms of a body, the problems are told of the one that was meant. */
function problemsOf(issues: readonly z.core.$ZodIssue[], isList: boolean): { message: string }[] {
  const flat = issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union') return [issue];
    return (issue.errors[isList ? 0 : 1] ?? []) as readonly z.core.$ZodIssue[];
  });
  return flat
    .slice(0, 100)
    .map(({ path, message }) => ({ message: `${path.map(String).join('.')}: ${message}`.slice(0, 300) }));
}

function askOf(body: AskBody, isReserved: boolean): Ask {
  const subject = subjectOf(body);
  return {
    subject,
    units: body.cost,
    money: moneyOf(body.money),
    least: Math.min(body.atLeast ?? 0, body.cost),
    isPeek: body.peek === true,
    hold: isReserved
      ? { id: body.id ?? randomUUID(), ttlUs: (body.ttlSeconds ?? 60) * 1_000_000, fingerprint: fingerprintOf(body) }
      : null,
  };
}

/** Tells a repeated reservation from another one of the same id. */
function fingerprintOf({ organisation, tenant, consumer, endpoint, cost, money, atLeast }: AskBody): string {
  const said = JSON.stringify([
    organisation,
    tenant,
    consumer,
    endpoint,
    cost,
    money?.amount,
    money?.currency,
    atLeast,
  ]);
  return createHash('sha256').update(said).digest('base64url').slice(0, 22);
}
