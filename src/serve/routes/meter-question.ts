import { z } from '@hono/zod-openapi';
import { fail, isTimeZone, parseInstant } from '../../model/index.ts';
import { type MeterQuestion, meterWindows } from '../../usage/index.ts';

const MOST_VALUES = 100;
const text = z.string().max(1024);
const texts = z.array(text).max(MOST_VALUES);

/** A question to a meter as the body of a request; as parameters it has the same names. */
export const meterQuestionBody = z.strictObject({
  from: z.string().optional(),
  to: z.string().optional(),
  windowSize: z.enum(meterWindows).optional(),
  windowTimeZone: z
    .string()
    // Names only: an offset such as +02:00 is a zone to this machine and none to the engine.
    .refine((zone) => /^[A-Za-z]/.test(zone) && isTimeZone(zone), 'is no zone of the IANA database')
    // This machine reads names in any letters, the engine only as they are written.
    .transform((timeZone) => new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone)
    .default('UTC'),
  subject: texts.optional(),
  groupBy: texts.default([]),
  filterGroupBy: z.record(z.string(), z.union([text.transform((value) => [value]), texts.min(1)])).default({}),
});

/** Reads a question from a body. Fails BODY_MALFORMED, PARAMETER_INVALID, TIME_MALFORMED. */
export function questionFromBody(body: string): MeterQuestion {
  try {
    return questionFrom(body.trim() === '' ? {} : JSON.parse(body));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw fail('BODY_MALFORMED', { reason: 'this is not JSON' }, [], cause);
    throw cause;
  }
}

const FILTER = /^filterGroupBy\[([^\]]*)\](?:\[\d*\])?$/;
const LIST = /^(subject|groupBy)(?:\[\d*\])?$/;

/**
 * Reads a question from the parameters of an address: `subject=a&subject=b` or `subject[]=a`, `groupBy=x,y` or repeated,
 * `filterGroupBy[model]=m`, repeated for several values.
 *
 * Fails  PARAMETER_INVALID also for a parameter that is not known: without it the figure would be another one than was asked for.
 */
export function questionFromParams(params: URLSearchParams): MeterQuestion {
  const asked: Record<string, unknown> = {};
  const lists = new Map<string, string[]>();
  const filters = new Map<string, string[]>();
  for (const [name, value] of params) {
    const [, filtered] = FILTER.exec(name) ?? [];
    const [, list] = LIST.exec(name) ?? [];
    if (filtered !== undefined) filters.set(filtered, [...(filters.get(filtered) ?? []), value]);
    else if (list === 'groupBy') lists.set(list, [...(lists.get(list) ?? []), ...value.split(',')]);
    else if (list !== undefined) lists.set(list, [...(lists.get(list) ?? []), value]);
    else if (Object.hasOwn(asked, name)) throw fail('PARAMETER_INVALID', { reason: `${name} is there twice` });
    else asked[name] = value;
  }
  return questionFrom({ ...asked, ...Object.fromEntries(lists), filterGroupBy: Object.fromEntries(filters) });
}

function questionFrom(value: unknown): MeterQuestion {
  const { data, error } = meterQuestionBody.safeParse(value);
  if (error) {
    const problems = error.issues.map(({ path, message }) => ({ message: `${path.join('.')}: ${message}` }));
    throw fail('PARAMETER_INVALID', {}, problems);
  }
  const { from, to, windowSize, windowTimeZone, subject, groupBy, filterGroupBy } = data;
  // Who names subjects wants to tell them apart, as OpenMeter has it.
  const names = [...groupBy.filter((name) => name !== ''), ...(subject === undefined ? [] : ['subject'])];
  return {
    fromMs: from === undefined ? null : parseInstant(from),
    toMs: to === undefined ? null : parseInstant(to),
    window: windowSize ?? null,
    timeZone: windowTimeZone,
    subjects: subject ?? null,
    groupBy: [...new Set(names)],
    filter: filterGroupBy,
  };
}
