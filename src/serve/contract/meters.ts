import { z } from 'zod';

const aggregation = z.enum(['SUM', 'COUNT', 'UNIQUE_COUNT', 'AVG', 'MIN', 'MAX', 'LATEST']);
const windowSize = z.enum(['MINUTE', 'HOUR', 'DAY', 'MONTH']);

/** The events API is OpenMeter's: these forms are what its clients know. */
export const cloudEvent = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.string().optional(),
  datacontenttype: z.literal('application/json').optional(),
  dataschema: z.string().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
});

export const eventsAnswer = z.array(
  z.object({
    event: cloudEvent,
    validationError: z.string().optional(),
    ingestedAt: z.string(),
    storedAt: z.string(),
  }),
);

export const meterAnswer = z.object({
  id: z.string(),
  slug: z.string(),
  description: z.string().nullable(),
  eventType: z.string(),
  aggregation,
  valueProperty: z.string().optional(),
  groupBy: z.record(z.string(), z.string()),
  windowSize,
  createdAt: z.string(),
  updatedAt: z.string(),
});

export const meterQueryAnswer = z.object({
  from: z.string().optional(),
  to: z.string().optional(),
  windowSize: windowSize.optional(),
  data: z.array(
    z.object({
      /** The nearest number that JSON's readers know. */
      value: z.number(),
      /** The same as decimal text, exact. */
      valueExact: z.string(),
      windowStart: z.string(),
      windowEnd: z.string(),
      subject: z.string().nullable(),
      groupBy: z.record(z.string(), z.string().nullable()),
    }),
  ),
});

export const subjectAnswer = z.object({
  id: z.string(),
  key: z.string(),
  displayName: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
});

export type MeterQueryAnswer = z.infer<typeof meterQueryAnswer>;
