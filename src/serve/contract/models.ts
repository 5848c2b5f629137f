import { z } from 'zod';
import { calibrationAnswer, instant, money, moneyPerCall, range } from './contract.ts';

export const auditAnswer = z.object({
  entries: z.array(
    z.object({
      at: instant,
      by: z.string(),
      action: z.enum(['apply', 'import', 'close']),
      what: z.string(),
      why: z.string(),
    }),
  ),
});

export const modelAnswer = z.object({
  format: z.enum(['text', 'markdown', 'html']),
  /** The whole page. */
  page: z.string(),
});

export const ratesAnswer = z.object({
  currency: z.string(),
  /** Null where there is no RateCard and no closed month. */
  card: z.object({ id: z.string(), origin: z.enum(['document', 'derived']) }).nullable(),
  rates: z.array(
    z.object({
      pool: z.string(),
      kind: z.enum(['direct', 'indirect']),
      driver: z.string(),
      services: z.array(z.string()).nullable(),
      /** Of a million units of the driver. */
      pricePerMillion: money,
    }),
  ),
  calibration: calibrationAnswer,
});

const measured = z.number().nullable();

/** docs/reference/metrics.md says what each is. */
export const unitAnswer = z.object({
  range,
  currency: z.string(),
  rows: z.array(
    z.object({
      tenant: z.string().optional(),
      endpoint: z.string().optional(),
      service: z.string().optional(),
      region: z.string().optional(),
      version: z.string().optional(),
      calls: z.number(),
      failedCalls: z.number(),
      direct: money,
      full: money,
      directPerCall: moneyPerCall,
      fullPerCall: moneyPerCall,
      infrastructurePerCall: moneyPerCall,
      feesPerCall: moneyPerCall,
      errorCost: money,
      retryCost: money,
      cpuMsPerCall: measured,
      memoryMbSecondsPerCall: measured,
      bytesOutPerCall: measured,
      dbCallsPerCall: measured,
      logBytesPerCall: measured,
      extCallsPerCall: measured,
    }),
  ),
});

export type UnitAnswer = z.infer<typeof unitAnswer>;
export type RatesAnswer = z.infer<typeof ratesAnswer>;
export type AuditAnswer = z.infer<typeof auditAnswer>;
export type ModelAnswer = z.infer<typeof modelAnswer>;
