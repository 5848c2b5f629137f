import { z } from 'zod';
import { instant, money, range } from './contract.ts';

/** What calls can be told apart by. */
export const usageDimensionNames = [
  ...(['tenant', 'endpoint', 'consumer', 'kind', 'class', 'status'] as const),
  ...(['region', 'version', 'flags', 'service'] as const),
] as const;
export const usageWindowNames = ['minute', 'hour', 'day', 'week', 'month', 'quarter'] as const;
export const usageCauses = [
  ...(['seasonality', 'outage', 'retry_storm', 'runaway_loop', 'bot_or_test', 'new_customer'] as const),
  ...(['new_release', 'heavy_customer', 'broad_growth', 'unexplained', 'steady'] as const),
] as const;

export const benchmarkMetricNames = [
  ...(['calls', 'errors', 'errorRate', 'activeTenants', 'callsPerTenant', 'costPerCall'] as const),
] as const;
export const usageWasteKinds = ['cacheable', 'polling', 'bulk', 'composite'] as const;

const known = z.number().nullable();
/** A number; money for each call is text with 12 decimals. */
const figure = z.union([z.number(), z.string()]).nullable();
const state = z.enum(['complete', 'partial', 'gap', 'future']);

/** What every report on usage says of itself. */
const standing = {
  /** Where it is written what the figures mean. */
  definition: z.string(),
  timeZone: z.string(),
  /** Which calls count. */
  counts: z.object({ calls: z.string(), where: z.string() }),
  coverage: z.object({ weight: known, time: known }),
  freshness: z.object({ asOf: instant, newestCall: instant.nullable() }),
  /** What `cursor` of the next page is; null on the last one. */
  next: z.string().nullable(),
};

const named = Object.fromEntries(usageDimensionNames.map((name) => [name, z.string().optional()]));
const moved = { baseCalls: known.optional(), change: known.optional(), growth: known.optional() };
const window = { start: instant, end: instant, state };
const spread = { count: z.number(), top1: known, top5: known, top10: known, gini: known, herfindahl: known };

const report = <Facts extends z.ZodRawShape, Row extends z.ZodRawShape>(facts: Facts, row: Row) =>
  z.object({ ...standing, ...facts, rows: z.array(z.object(row)) });

const volume = report(
  { range, base: range.nullable(), calls: z.number(), errors: z.number(), baseCalls: known, growth: known },
  {
    ...{ start: instant.optional(), end: instant.optional(), state: state.optional(), ...named },
    ...{ calls: known, errors: known, share: known, ...moved },
  },
);

const activity = { active: known, new: known, returning: known, resurrected: known, lapsed: known };

/** The answers of the reports on usage, by their names. */
export const usageAnswers = {
  volume,
  daily: volume,
  rolling: report(
    { from: instant, to: instant, calls: z.number(), errors: z.number() },
    { at: instant, calls: z.number(), errors: z.number() },
  ),
  fit: report(
    { from: instant, to: instant, calls: z.number(), residual: z.number() },
    { date: z.string(), start: instant, end: instant, calls: z.number(), inside: z.number(), outside: z.number() },
  ),
  calls: report(
    { range, calls: known },
    {
      ...{
        time: instant,
        tenant: z.string(),
        endpoint: z.string(),
        consumer: z.string(),
        kind: z.string(),
        status: z.number(),
      },
      ...{ isError: z.boolean(), durationMs: known, service: z.string(), region: z.string(), version: z.string() },
      ...{
        flags: z.string(),
        weight: z.number(),
        bytesIn: known,
        bytesOut: known,
        traceId: z.string(),
        spanId: z.string(),
      },
    },
  ),
  adoption: report({ range }, { ...window, ...activity }),
  retention: report(
    { range },
    { cohort: instant, size: z.number(), period: z.number(), start: instant, state, active: known, share: known },
  ),
  activation: report(
    {
      ...{ range, tenants: z.number(), succeeded: z.number(), activated: z.number() },
      ...{ medianSecondsToFirstSuccess: known, medianSecondsToActivation: known },
    },
    {
      ...{ tenant: z.string(), signedUp: instant.nullable(), firstCall: instant, firstSuccess: instant.nullable() },
      ...{
        activated: instant.nullable(),
        secondsToFirstCall: known,
        secondsToFirstSuccess: known,
        secondsToActivation: known,
      },
    },
  ),
  depth: report(
    { range, endpoints: z.number() },
    {
      ...{ tenant: z.string(), calls: z.number(), successes: z.number(), endpoints: z.number(), breadth: known },
      ...{ consumers: z.number(), valueEvents: known, successRatio: known, valueRatio: known },
    },
  ),
  unused: report(
    { range, used: z.number() },
    { endpoint: z.string(), known: z.enum(['document', 'calls']), lastCalled: z.string().nullable() },
  ),
  sequences: report(
    { range, users: z.number(), calls: z.number(), isCut: z.boolean() },
    { sequence: z.string(), times: z.number(), users: z.number() },
  ),
  concentration: report(
    {
      ...{ range, base: range.nullable(), calls: z.number(), ...spread },
      withoutLargest: z.object({ ...spread, calls: z.number(), growth: known }),
    },
    { rank: z.number(), ...named, calls: z.number(), share: known, cumulativeShare: known },
  ),
  baseline: report(
    {
      ...{ range, metric: z.enum(benchmarkMetricNames), window: z.enum(['hour', 'day']) },
      history: z.object({
        ...{ from: instant, to: instant, weeks: z.number(), asked: z.number(), isEnough: z.boolean() },
      }),
      drift: z
        .object({
          direction: z.enum(['steady', 'improving', 'worsening', 'rising', 'falling']),
          ...{ perWeek: z.number(), whole: z.number(), pValue: z.number(), weeks: z.number() },
        })
        .nullable(),
    },
    {
      ...{ ...window, value: figure, expected: figure, low: figure, high: figure },
      ...{ position: z.enum(['below', 'inside', 'above']).nullable(), values: z.number() },
    },
  ),
  targets: report(
    {},
    {
      ...{ name: z.string(), metric: z.enum(benchmarkMetricNames), where: z.string() },
      ...{ direction: z.enum(['atMost', 'atLeast']), value: z.union([z.number(), z.string()]), by: z.string() },
      ...{ per: z.enum(['day', 'week', 'month']), timeZone: z.string() },
      state: z.enum(['on_track', 'off_track', 'met', 'missed', 'unknown']),
      ...{
        current: figure,
        start: instant.nullable(),
        projected: figure,
        projectedOn: z.string().nullable(),
        reason: z.string().optional(),
      },
      windows: z.number(),
    },
  ),
  advice: report(
    { range, calls: z.number(), looked: range, isCut: z.boolean() },
    {
      ...{ tenant: z.string(), kind: z.enum(usageWasteKinds), endpoint: z.string(), consumers: z.number() },
      ...{ calls: z.number(), savedCalls: z.number(), savedShare: z.number(), savedCost: money.nullable() },
      currency: z.string().nullable(),
      ...{ certainty: z.enum(['certain', 'likely', 'possible']), evidence: z.string() },
    },
  ),
  why: report(
    {
      ...{ range, base: range, before: known, after: z.number(), change: known, growth: known },
      diagnoses: z.array(z.object({ cause: z.enum(usageCauses), explains: z.number(), evidence: z.string() })),
    },
    {
      ...{ dimension: z.string(), key: z.string(), kind: z.enum(['new', 'gone', 'grown', 'shrunk', 'same', 'others']) },
      ...{ before: z.number(), after: z.number(), change: z.number(), shareOfChange: known },
    },
  ),
} as const;

export type UsageReportName = keyof typeof usageAnswers;

/** What commands and pages read of any of them. */
export interface UsageReportAnswer {
  readonly definition: string;
  readonly coverage: { readonly weight: number | null; readonly time: number | null };
  readonly freshness: { readonly asOf: string; readonly newestCall: string | null };
  readonly next: string | null;
  readonly calls?: number | null;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly [fact: string]: unknown;
}
