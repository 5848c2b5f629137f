import { openStore, type Store } from '../src/store/index.ts';
import {
  activationReport,
  adoptionReport,
  baselineReport,
  callLog,
  concentrationReport,
  dailyReport,
  depthReport,
  fitReport,
  parseChoice,
  patternsReport,
  retentionReport,
  rollingReport,
  volumeReport,
  whyReport,
} from '../src/usage/index.ts';
import { fabricate, SET_DAYS, SET_END_MS, type SetSize } from './usage-set.ts';

/** One report over the set: how long it took at different places, and how long plain SQL over the calls takes for the same. */
export interface UsageFigures {
  readonly report: string;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly budgetMs: number;
  /** Null where there is no plain statement for it. */
  readonly referenceMs: number | null;
}

const DAY = 86_400_000;
const now = new Date(SET_END_MS);
const year = { fromMs: SET_END_MS - SET_DAYS * DAY, toMs: SET_END_MS };

/** Builds the set and asks every report `times` times, each time of another tenant and another stretch. */
export async function benchUsage(
  folder: string,
  size: SetSize,
  times: number,
  tell: (text: string) => void,
): Promise<UsageFigures[]> {
  const store = await openStore({ folder });
  try {
    const [{ n = '0' } = {}] = await store.columns.query<{ n: string }>('SELECT count() AS n FROM usage_rollup');
    if (n === '0') await fabricate(store, size, tell);
    const figures: UsageFigures[] = [];
    for (const each of questions(store)) {
      const took: number[] = [];
      for (let turn = 0; turn < times; turn++) took.push(await timed(() => each.ask(turn)));
      took.sort((a, b) => a - b);
      const reference = each.reference;
      figures.push({
        ...{ report: each.report, budgetMs: each.budgetMs, p50Ms: at(took, 0.5), p95Ms: at(took, 0.95) },
        referenceMs: reference === undefined ? null : await timed(() => store.columns.query(reference)),
      });
      tell(`${each.report}: ${at(took, 0.95).toFixed(0)} ms`);
    }
    return figures;
  } finally {
    await store.close();
  }
}

interface Question {
  readonly report: string;
  readonly budgetMs: number;
  readonly reference?: string;
  ask(turn: number): Promise<unknown>;
}

const raw = 'FROM work WHERE is_call = 1';

function questions(store: Store): Question[] {
  const tenant = (turn: number) => ({ tenant: [`tenant-${(turn * 37) % 500}`] });
  const asked = { timeZone: 'UTC', only: {}, base: null, by: [] };
  const last = (days: number, turn = 0) => ({
    fromMs: SET_END_MS - (days + turn) * DAY,
    toMs: SET_END_MS - turn * DAY,
  });
  const benchmark = { ...asked, metric: 'errorRate' as const, weeks: 39, costs: async () => new Map() };
  const noon = (turn: number) => SET_END_MS - turn * DAY - 43_210_987;
  const volume = (question: Partial<Parameters<typeof volumeReport>[1]>) =>
    volumeReport(store, { ...asked, range: year, window: null, ...question }, now);
  return [
    {
      ...{ report: 'calls a day, a year, Europe/Berlin', budgetMs: 300 },
      ask: () => volume({ window: 'day', timeZone: 'Europe/Berlin' }),
      reference: `SELECT toStartOfDay(start_at, 'Europe/Berlin') AS d, sum(sign * share) ${raw} GROUP BY d`,
    },
    {
      ...{ report: 'top tenants, a year, with the year before', budgetMs: 300 },
      ask: () => volume({ by: ['tenant'], base: last(SET_DAYS, SET_DAYS) }),
      reference: `SELECT tenant, sum(sign * share) ${raw} GROUP BY tenant`,
    },
    {
      ...{ report: 'hours of one tenant, 30 days, Asia/Kolkata', budgetMs: 300 },
      ask: (turn) => volume({ range: last(30, turn), window: 'hour', timeZone: 'Asia/Kolkata', only: tenant(turn) }),
      reference: `SELECT toStartOfHour(start_at) AS h, sum(sign * share) ${raw} AND tenant = 'tenant-37' AND toStartOfHour(start_at) >= '2026-10-01' GROUP BY h`,
    },
    {
      ...{ report: 'endpoints of one tenant by month, a year', budgetMs: 300 },
      ask: (turn) => volume({ window: 'month', by: ['endpoint'], only: tenant(turn) }),
      reference: `SELECT toStartOfMonth(start_at) AS m, endpoint, sum(sign * share) ${raw} AND tenant = 'tenant-37' GROUP BY m, endpoint`,
    },
    {
      ...{ report: 'last 24 hours at any millisecond, 24 points', budgetMs: 300 },
      ask: (turn) =>
        rollingReport(
          store,
          { ...asked, atMs: noon(turn), spanMs: DAY, only: tenant(turn), stepMs: 3_600_000, points: 24 },
          now,
        ),
    },
    {
      report: 'how 24 hours and days fit',
      budgetMs: 300,
      ask: (turn) => fitReport(store, { ...asked, atMs: noon(turn), spanMs: DAY }, now),
    },
    {
      ...{ report: '7 days by user and date of one tenant', budgetMs: 300 },
      ask: (turn) =>
        dailyReport(store, { ...asked, atMs: noon(turn), days: 7, by: ['consumer'], only: tenant(turn) }, now),
    },
    {
      ...{ report: 'active tenants a month, a year', budgetMs: 300 },
      ask: () => adoptionReport(store, { ...asked, range: year, window: 'month', of: 'tenant' }, now),
      reference: `SELECT toStartOfMonth(start_at) AS m, uniqExact(tenant) ${raw} GROUP BY m`,
    },
    {
      ...{ report: 'active tenants a day, a year', budgetMs: 300 },
      ask: () => adoptionReport(store, { ...asked, range: year, window: 'day', of: 'tenant' }, now),
      reference: `SELECT toDate(start_at) AS m, uniqExact(tenant) ${raw} GROUP BY m`,
    },
    {
      ...{ report: 'active consumers a month, a year', budgetMs: 300 },
      ask: () => adoptionReport(store, { ...asked, range: year, window: 'month', of: 'consumer' }, now),
      reference: `SELECT toStartOfMonth(start_at) AS m, uniqExact(tenant, consumer) ${raw} GROUP BY m`,
    },
    {
      ...{ report: 'retention of 12 monthly cohorts, tenants', budgetMs: 1_000 },
      ask: () => retentionReport(store, { ...asked, range: year, window: 'month', of: 'tenant' }, now),
    },
    {
      ...{ report: 'retention of 12 monthly cohorts, consumers', budgetMs: 1_000 },
      ask: () => retentionReport(store, { ...asked, range: year, window: 'month', of: 'consumer' }, now),
    },
    {
      ...{ report: 'activation of a month', budgetMs: 300 },
      ask: (turn) =>
        activationReport(store, { range: last(30, turn * 20), successes: 10, valueEvent: '', signUpEvent: '' }, now),
    },
    {
      ...{ report: 'depth of all tenants, 30 days', budgetMs: 300 },
      ask: (turn) => depthReport(store, { range: last(30, turn), only: {}, valueEvent: '', known: [] }, now),
      reference: `SELECT tenant, uniqExact(endpoint) ${raw} AND toStartOfHour(start_at) >= '2026-10-01' GROUP BY tenant`,
    },
    {
      ...{ report: 'concentration of tenants, a year', budgetMs: 300 },
      ask: () => concentrationReport(store, { ...asked, range: year, window: null, by: ['tenant'] }, now),
      reference: `SELECT tenant, sum(sign * share) ${raw} GROUP BY tenant`,
    },
    {
      ...{ report: 'why, a day and the one before', budgetMs: 300 },
      ask: (turn) =>
        whyReport(
          store,
          { ...asked, range: last(1, turn), base: last(1, turn + 1), by: ['tenant', 'endpoint'], shown: 10 },
          now,
        ),
    },
    {
      ...{ report: 'baseline of days, 39 weeks, one tenant', budgetMs: 300 },
      ask: (turn) =>
        baselineReport(store, { ...benchmark, range: last(7, turn), window: 'day', only: tenant(turn) }, now),
    },
    {
      ...{ report: 'baseline of hours, 39 weeks', budgetMs: 300 },
      ask: (turn) => baselineReport(store, { ...benchmark, range: last(1, turn), window: 'hour' }, now),
    },
    {
      ...{ report: 'calls that could be saved, a week of one tenant', budgetMs: 500 },
      ask: (turn) => patternsReport(store, { range: last(7, turn), only: tenant(turn) }, now),
    },
    {
      ...{ report: 'calls that could be saved, the last half million', budgetMs: 5_000 },
      ask: (turn) => patternsReport(store, { range: last(7, turn), only: {} }, now),
    },
    ...(
      ['', 'tenant:tenant-37', 'tenant:tenant-37;endpoint:GET /v1/e7', 'consumer:user-37-3', 'status:5xx'] as const
    ).map((where) => ({
      ...{ report: `page of 100 calls, ${where || 'all'}`, budgetMs: 500 },
      ask: (turn: number) =>
        callLog(
          store,
          {
            range: last(365 - turn, turn),
            only: parseChoice(where),
            traceId: '',
            statusCode: null,
            limit: 100,
            cursor: '',
          },
          now,
        ),
    })),
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!;
}
