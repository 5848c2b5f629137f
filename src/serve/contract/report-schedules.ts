import { z } from 'zod';
import { instant, range } from './contract.ts';

export const reportDelivery = z.object({
  id: z.string(),
  period: range,
  target: z.string(),
  state: z.enum(['waiting', 'sending', 'sent', 'failed']),
  attempts: z.number(),
  sentAt: instant.nullable(),
  /** Why the last attempt failed; empty where none did. */
  error: z.string(),
});

/** Scheduled reports, and what became of the last ones. */
export const reportSchedulesAnswer = z.object({
  schedules: z.array(
    z.object({
      ...{ name: z.string(), every: z.enum(['day', 'week', 'month']), timeZone: z.string() },
      ...{ parts: z.array(z.string()), enabled: z.boolean(), next: instant.nullable() },
      deliveries: z.array(reportDelivery),
    }),
  ),
});
export type ReportSchedulesAnswer = z.infer<typeof reportSchedulesAnswer>;

export const reportFormNames = ['text', 'html', 'json'] as const;
export const reportPreviewAnswer = z.object({ format: z.enum(reportFormNames), page: z.string() });
export type ReportPreviewAnswer = z.infer<typeof reportPreviewAnswer>;

export const reportSendAnswer = z.object({ sent: z.number(), deliveries: z.array(reportDelivery) });
export type ReportSendAnswer = z.infer<typeof reportSendAnswer>;
