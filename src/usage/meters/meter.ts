import { z } from 'zod';
import { parseJsonPath } from './json-path.ts';

export const meterAggregations = ['SUM', 'COUNT', 'UNIQUE_COUNT', 'AVG', 'MIN', 'MAX', 'LATEST'] as const;
export type MeterAggregation = (typeof meterAggregations)[number];
export const meterWindows = ['MINUTE', 'HOUR', 'DAY', 'MONTH'] as const;
export type MeterWindow = (typeof meterWindows)[number];

const MOST_GROUPS = 50;

const jsonPath = z
  .string()
  .refine((text) => parseJsonPath(text) !== null, "must be a simple JSONPath such as $.tokens, $.items[0] or $['a b']");

const groupName = z
  .string()
  .regex(/^[A-Za-z_]\w{0,63}$/, 'must be letters, digits and underscores')
  .refine((name) => name !== 'subject', 'subject is always there; choose another name');

const fields = {
  description: z.string().max(1000).nullish(),
  eventType: z.string().min(1).max(256),
  aggregation: z.enum(meterAggregations),
  valueProperty: jsonPath.optional(),
  groupBy: z
    .record(groupName, jsonPath)
    .refine((groups) => Object.keys(groups).length <= MOST_GROUPS, `at most ${MOST_GROUPS}`)
    .default({}),
  windowSize: z.enum(meterWindows).default('MINUTE'),
};

const hasValue = ({
  aggregation,
  valueProperty,
}: {
  aggregation: MeterAggregation;
  valueProperty?: string | undefined;
}) => aggregation === 'COUNT' || valueProperty !== undefined;
const valueNeeded = { message: 'must be there, except for COUNT', path: ['valueProperty'] };

/** The spec of a Meter document: which events to read, and what to make of them. */
export const meterSpec = z.strictObject(fields).refine(hasValue, valueNeeded);

export type MeterSpec = z.infer<typeof meterSpec>;

/** The same as clients of the events API send it. The slug is the name of the document; what else they send is left out. */
export const meterRequest = z
  .object({
    slug: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'must be letters, digits and underscores'),
    ...fields,
  })
  .refine(hasValue, valueNeeded);

/** A meter in force. */
export interface Meter {
  readonly id: string;
  readonly slug: string;
  readonly spec: MeterSpec;
  readonly createdAt: string;
  readonly updatedAt: string;
}
