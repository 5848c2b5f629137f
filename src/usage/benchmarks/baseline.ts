import { fail, formatInstant, type TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import { firstSlotMs } from '../reports/entities.ts';
import { readPresence, type Standing } from '../reports/freshness.ts';
import type { Choice } from '../sums/dimensions.ts';
import { shiftInstant, windowStart, windowsOf } from '../time/calendar.ts';
import {
  type BenchmarkMetric,
  type CostsByDay,
  lowerIsBetter,
  type MetricPoint,
  metricSeries,
  noiseOf,
  shownFigure,
  shownWindow,
} from './metric-series.ts';
import { type PastValue, type Profile, profileOf } from './profile.ts';
import { SIGNIFICANT } from './trend.ts';
import { type SlottedWindow, slottedWindows } from './weekly-slots.ts';

export const baselineWindows = ['hour', 'day'] as const;

export interface BaselineQuestion {
  readonly metric: BenchmarkMetric;
  /** What is judged. */
  readonly range: TimeRange;
  readonly window: (typeof baselineWindows)[number];
  readonly timeZone: string;
  readonly only: Choice;
  /** How much history is looked at, at most: 39 are three quarters. */
  readonly weeks: number;
  readonly costs: CostsByDay;
}

type Figure = number | string | null;

export interface BaselineRow {
  readonly start: string;
  readonly end: string;
  readonly state: MetricPoint['state'];
  readonly value: Figure;
  /** The median of this hour or day of the week; null where too little is known. */
  readonly expected: Figure;
  readonly low: Figure;
  readonly high: Figure;
  /** Null where it cannot be said: of windows that are not over as well. */
  readonly position: 'below' | 'inside' | 'above' | null;
  /** How many values of the past say what is expected. */
  readonly values: number;
}

export interface Drift {
  readonly direction: 'steady' | 'improving' | 'worsening' | 'rising' | 'falling';
  /** Change of the weekly level from one week to the next, and over the whole history, as shares of the usual level. */
  readonly perWeek: number;
  readonly whole: number;
  readonly pValue: number;
  readonly weeks: number;
}

export interface BaselineReport extends Standing {
  readonly metric: BenchmarkMetric;
  readonly window: BaselineQuestion['window'];
  readonly history: {
    readonly from: string;
    readonly to: string;
    /** Weeks of which enough is known, and how many were asked for. */
    readonly weeks: number;
    readonly asked: number;
    /** Whether that is two quarters or more. */
    readonly isEnough: boolean;
  };
  /** Null where too few weeks are known. */
  readonly drift: Drift | null;
  readonly rows: readonly BaselineRow[];
}

type SlottedPoint = MetricPoint & Pick<SlottedWindow, 'slot'>;

const MILLIS_PER_WEEK = 604_800_000;
const TWO_QUARTERS = 26;

/**
 * Holds the windows of a range against the own past: what is usual for this hour or day of the week, and whether the level drifts.
 *
 * Gives  a row for each window; without at least 8 values of the past it has no range.
 * Fails  PARAMETER_INVALID for costs by hour; RANGE_TOO_LONG beyond 10,000 windows.
 */
export async function baselineReport(store: Store, question: BaselineQuestion, now: Date): Promise<BaselineReport> {
  const { metric, range, window, timeZone, only, costs } = question;
  if (metric === 'costPerCall' && window !== 'day')
    throw fail('PARAMETER_INVALID', { reason: 'costs are known by day: ask with window day' });
  const history = await historyOf(store, question);
  const presence = await readPresence(store.columns, { fromMs: history.fromMs, toMs: range.toMs }, now);
  const ask = async (stretch: TimeRange) => {
    const slotted = stretch.fromMs < stretch.toMs ? slottedWindows(stretch, window, timeZone) : [];
    const windows = slotted.map((each) => each.window);
    const { points, ...sums } = await metricSeries(store.columns, { metric, windows, only, timeZone, costs }, presence);
    return { ...sums, points: points.map((point, place) => ({ ...point, slot: slotted[place]!.slot })) };
  };
  const [past, asked] = [await ask(history), await ask(range)];
  const known = past.points.flatMap((point) => pastValue(point, question));
  const profile = profileOf(known, metric === 'errorRate' ? 1 : undefined);
  return {
    ...{ metric, window },
    history: {
      ...{ from: formatInstant(history.fromMs), to: formatInstant(history.toMs) },
      ...{ weeks: profile.weeks, asked: question.weeks, isEnough: profile.weeks >= TWO_QUARTERS },
    },
    drift: driftOf(metric, profile),
    rows: asked.points.map((point) => rowOf(point, metric, profile)),
    ...presence.standing(range, asked.calls, asked.known),
  };
}

/** Whole windows just before the range, but none before the first call of anybody. */
async function historyOf({ columns }: Store, { range, window, timeZone, weeks }: BaselineQuestion): Promise<TimeRange> {
  const toMs = windowStart(range.fromMs, window, timeZone);
  const wantedMs = windowStart(shiftInstant(toMs, { weeks: -weeks }, timeZone), window, timeZone);
  const firstMs = await firstSlotMs(columns);
  if (firstMs === null || firstMs >= toMs) return { fromMs: toMs, toMs };
  if (firstMs <= wantedMs) return { fromMs: wantedMs, toMs };
  // The window of the first call began before anybody could call.
  const first = windowsOf({ fromMs: firstMs, toMs: firstMs + 1 }, window, timeZone)[0]!;
  return { fromMs: first.fromMs === firstMs ? firstMs : first.toMs, toMs };
}

function pastValue(
  { window, state, value, calls, slot }: SlottedPoint,
  { metric, range }: BaselineQuestion,
): PastValue[] {
  if (state !== 'complete' || value === null) return [];
  const week = Math.floor((window.fromMs - range.fromMs) / MILLIS_PER_WEEK);
  return [{ slot, week, value, noise: noiseOf(metric, value, calls) }];
}

function rowOf({ window, state, value, slot }: SlottedPoint, metric: BenchmarkMetric, { slots }: Profile): BaselineRow {
  const usual = slots.get(slot);
  const isJudged = usual !== undefined && value !== null && state === 'complete';
  return {
    ...{ ...shownWindow(window), state, value: shownFigure(metric, value) },
    expected: shownFigure(metric, usual?.expected ?? null),
    low: shownFigure(metric, usual?.low ?? null),
    high: shownFigure(metric, usual?.high ?? null),
    position: !isJudged ? null : value < usual.low ? 'below' : value > usual.high ? 'above' : 'inside',
    values: usual?.values ?? 0,
  };
}

function driftOf(metric: BenchmarkMetric, { trend, weeks }: Profile): Drift | null {
  if (trend === null) return null;
  const { slope, pValue } = trend;
  const [up, down] = lowerIsBetter.has(metric)
    ? (['worsening', 'improving'] as const)
    : (['rising', 'falling'] as const);
  const isSure = pValue < SIGNIFICANT && slope !== 0;
  return {
    direction: !isSure ? 'steady' : slope > 0 ? up : down,
    ...{ perWeek: slope, whole: slope * Math.max(0, weeks - 1), pValue, weeks },
  };
}
