import { Failure, formatInstant, type TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import {
  askedComparison,
  type Choice,
  type CostsByDay,
  type Standing,
  shownChoice,
  type TargetRow,
  targetsReport,
  type VolumeReport,
  volumeReport,
  type WhyReport,
  whyReport,
} from '../../usage/index.ts';
import { type AdviceReport, adviceReport, type CostsOfCalls } from '../savings/advice.ts';
import { choiceOfSchedule, type ReportScheduleSpec } from './report-schedule.ts';

export interface ComposeDeps {
  readonly store: Store;
  readonly costsByDay: CostsByDay;
  readonly costsOfCalls: CostsOfCalls;
}

/** A part of a report that could not be made, and why: what is missing is said, not left out. */
export interface Missing {
  readonly missing: string;
}

/** What a scheduled report says, before it is written in any form. */
export interface ComposedReport {
  readonly schedule: string;
  readonly every: ReportScheduleSpec['every'];
  readonly timeZone: string;
  readonly period: { readonly from: string; readonly to: string };
  /** Which calls count. */
  readonly where: string;
  readonly figures: Figures | null;
  readonly why: Pick<WhyReport, 'before' | 'after' | 'change' | 'growth' | 'diagnoses' | 'rows'> | Missing | null;
  readonly advice: Pick<AdviceReport, 'looked' | 'isCut' | 'calls' | 'rows'> | Missing | null;
  readonly targets: readonly TargetRow[] | Missing | null;
  readonly coverage: Standing['coverage'];
  readonly freshness: Standing['freshness'];
  /** Where it is written what the figures mean. */
  readonly definitions: string;
}

export interface Figures {
  readonly calls: number;
  readonly errors: number;
  /** Of the period before, as long. */
  readonly baseCalls: number | null;
  readonly growth: number | null;
  readonly tenants: readonly GroupFigures[];
  readonly endpoints: readonly GroupFigures[];
}

export interface GroupFigures {
  readonly name: string;
  readonly calls: number | null;
  readonly share: number | null;
  readonly growth: number | null;
}

const SHOWN = 10;

/**
 * Puts a scheduled report together.
 *
 * Takes  period: over. now: for freshness.
 * Gives  the parts that the schedule asks for; of those that raw calls are needed for and no longer kept, why they are missing.
 */
export async function composeReport(
  { store, costsByDay, costsOfCalls }: ComposeDeps,
  name: string,
  spec: ReportScheduleSpec,
  period: TimeRange,
  now: Date,
): Promise<ComposedReport> {
  const { every, timeZone, parts } = spec;
  const only = choiceOfSchedule(spec);
  const base = askedComparison(period, { compare: 'previous' }, timeZone)!;
  const asked = { range: period, base, only, timeZone };
  const { coverage, freshness, ...whole } = await volumeReport(store, { ...asked, window: null, by: [] }, now);
  const has = (part: (typeof parts)[number]) => parts.includes(part);
  const why = () => whyReport(store, { ...asked, by: ['tenant', 'endpoint'], shown: SHOWN / 2 }, now);
  const targets = async () => (await targetsReport(store, { atMs: period.toMs, costs: costsByDay }, now)).rows;
  return {
    ...{ schedule: name, every, timeZone },
    period: { from: formatInstant(period.fromMs), to: formatInstant(period.toMs) },
    where: shownChoice(only),
    figures: has('figures') ? await figuresOf(store, asked, whole, now) : null,
    why: has('why') ? await orMissing(why) : null,
    advice: has('advice')
      ? await orMissing(() => shownAdvice(store, { range: period, only, costs: costsOfCalls }, now))
      : null,
    targets: has('targets') ? await orMissing(targets) : null,
    ...{ coverage, freshness, definitions: '/api/v1/usage/definitions' },
  };
}

interface Asked {
  readonly range: TimeRange;
  readonly base: TimeRange;
  readonly only: Choice;
  readonly timeZone: string;
}

async function figuresOf(
  store: Store,
  asked: Asked,
  { calls, errors, baseCalls, growth }: Pick<VolumeReport, 'calls' | 'errors' | 'baseCalls' | 'growth'>,
  now: Date,
): Promise<Figures> {
  const by = async (dimension: 'tenant' | 'endpoint') => {
    const { rows } = await volumeReport(store, { ...asked, window: null, by: [dimension] }, now);
    const largest = rows.toSorted((a, b) => (b.calls ?? 0) - (a.calls ?? 0)).slice(0, SHOWN);
    return largest.map((row) => ({
      ...{ name: row[dimension] ?? '', calls: row.calls, share: row.share, growth: row.growth ?? null },
    }));
  };
  return { calls, errors, baseCalls, growth, tenants: await by('tenant'), endpoints: await by('endpoint') };
}

async function shownAdvice(...asked: Parameters<typeof adviceReport>) {
  const { looked, isCut, calls, rows } = await adviceReport(...asked);
  return { looked, isCut, calls, rows: rows.slice(0, SHOWN) };
}

/** Raw calls go before sums do: then the figures can be told, and not what they looked like. */
async function orMissing<Part>(part: () => Promise<Part>): Promise<Part | Missing> {
  try {
    return await part();
  } catch (cause) {
    const isGone = cause instanceof Failure && (cause.code === 'RANGE_DROPPED' || cause.code === 'CURRENCY_MIXED');
    if (!isGone) throw cause;
    return { missing: `${cause.message}. ${cause.todo}` };
  }
}
