import { z } from 'zod';
import { parseInstant, type TimeRange } from '../../model/index.ts';
import {
  type Choice,
  choiceText,
  dateOf,
  parseChoice,
  timeOfDay,
  windowStart,
  windowsOf,
  zoneName,
} from '../../usage/index.ts';

export const reportParts = ['figures', 'why', 'advice', 'targets'] as const;
export type ReportPart = (typeof reportParts)[number];
export const reportFiles = ['html', 'text', 'json'] as const;

const webhook = z.strictObject({
  url: z
    .string()
    .max(2_048)
    .refine((text) => isPlainUrl(text), 'must be an http:// or https:// address without a user or a fragment'),
  secret: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be a name in TAXIMETER_WEBHOOK_SECRETS, not the secret itself')
    .optional(),
});

const address = z
  .string()
  .max(254)
  .regex(/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/, 'must be a mail address');

const target = z
  .strictObject({
    mail: z.array(address).min(1).max(50).optional(),
    webhook: webhook.optional(),
    file: z.enum(reportFiles).optional(),
  })
  .refine(
    (to) => Object.values(to).filter((value) => value !== undefined).length === 1,
    'must be one of mail, webhook or file',
  );

/** The spec of a ReportSchedule document: what is reported of which calls, when, to whom. */
export const reportScheduleSpec = z
  .strictObject({
    every: z.enum(['day', 'week', 'month']),
    at: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of the day such as "07:00"')
      .default('07:00'),
    timeZone: zoneName.default('UTC'),
    tenants: z.array(z.string().min(1).max(256)).min(1).max(1_000).optional(),
    where: choiceText.default(''),
    parts: z
      .array(z.enum(reportParts))
      .min(1)
      .default([...reportParts]),
    to: z.array(target).min(1).max(20),
    enabled: z.boolean().default(true),
  })
  .refine(({ tenants, where }) => tenants === undefined || parsed(where)?.tenant === undefined, {
    message: 'tenants are chosen twice',
    path: ['where'],
  });

export type ReportScheduleSpec = z.infer<typeof reportScheduleSpec>;
export type ReportTarget = ReportScheduleSpec['to'][number];

/** What is wrong with a choice, `choiceText` says. */
function parsed(where: string): Choice | null {
  try {
    return parseChoice(where);
  } catch {
    return null;
  }
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '' && hash === '';
}

/** Which calls a schedule is about. */
export function choiceOfSchedule({ tenants, where }: ReportScheduleSpec): Choice {
  return { ...parseChoice(where), ...(tenants === undefined ? {} : { tenant: tenants }) };
}

/**
 * Gives the newest period whose report is due.
 *
 * Takes  atMs: when is asked.
 * Gives  a whole day, week or month of the zone, and when its report was due: at the time of the day that the schedule says, on the day after it.
 */
export function duePeriod(
  spec: ReportScheduleSpec,
  atMs: number,
): { readonly period: TimeRange; readonly dueMs: number } {
  const { every, timeZone } = spec;
  let endMs = windowStart(atMs, every, timeZone);
  if (dueOf(spec, endMs) > atMs) endMs = windowStart(endMs - 1, every, timeZone);
  return { period: { fromMs: windowStart(endMs - 1, every, timeZone), toMs: endMs }, dueMs: dueOf(spec, endMs) };
}

/** When the report of a period that ends then is due. */
function dueOf({ at, timeZone }: ReportScheduleSpec, endMs: number): number {
  return timeOfDay(endMs, at, timeZone);
}

/** When the next report is due, after an instant. */
export function nextDueMs(spec: ReportScheduleSpec, atMs: number): number {
  const { every, timeZone } = spec;
  const start = windowStart(atMs, every, timeZone);
  const ends = windowsOf({ fromMs: start, toMs: start + 1 }, every, timeZone).map(({ toMs }) => toMs);
  return [start, ...ends].map((endMs) => dueOf(spec, endMs)).find((dueMs) => dueMs > atMs)!;
}

/** Gives the period of a schedule that begins on a day of its zone, such as 2026-10-05; null where none does. Fails TIME_MALFORMED. */
export function periodFrom({ every, timeZone }: ReportScheduleSpec, day: string): TimeRange | null {
  const noonMs = parseInstant(day) + 43_200_000;
  const around = { fromMs: noonMs - 86_400_000, toMs: noonMs + 86_400_000 };
  return windowsOf(around, every, timeZone).find(({ fromMs }) => dateOf(fromMs, timeZone) === day) ?? null;
}
