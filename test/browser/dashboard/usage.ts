import type { UsageAnswer, UsageRow } from '../../../src/serve/contract/contract.ts';
import { ENDPOINTS, seeded, TENANTS } from './figures.ts';

const HOUR_MS = 3_600_000;
const FIRST_HOUR_MS = Date.parse('2025-01-06T00:00:00Z');
const HOURS = 7 * 24;
/** Wednesday night nothing was recorded. */
const GAP = [50, 54] as const;

/** Seven days by the hour (or day), like people: busy afternoons, quiet nights, one bad deployment. */
export function usageAnswer(params: URLSearchParams): UsageAnswer {
  const window = params.get('window') === 'day' ? 'day' : 'hour';
  const from = params.get('from') ?? '2025-01-01T00:00:00Z';
  const to = params.get('to') ?? '2025-02-01T00:00:00Z';
  const hourly = namesBy(params.get('by') ?? '').flatMap((name, index) => hourlyRows(name, index));
  const rows = (window === 'day' ? daily(hourly) : hourly).filter(
    ({ start = '' }) => Date.parse(start) >= Date.parse(from) && Date.parse(start) < Date.parse(to),
  );
  return {
    range: { from, to },
    window,
    timeZone: params.get('tz') ?? 'UTC',
    calls: rows.reduce((sum, row) => sum + row.calls, 0),
    late: 0,
    coverage: { weight: 0.991 },
    newestCall: '2025-01-12T23:59:41Z',
    rows,
  };
}

type Name = Pick<UsageRow, 'tenant' | 'endpoint'>;

function namesBy(by: string): Name[] {
  if (by === 'tenant') return TENANTS.map((tenant) => ({ tenant }));
  if (by === 'endpoint') return ENDPOINTS.map((endpoint) => ({ endpoint }));
  if (by === '') return [{}];
  return TENANTS.flatMap((tenant) => ENDPOINTS.map((endpoint) => ({ tenant, endpoint })));
}

function hourlyRows(name: Name, index: number): UsageRow[] {
  const random = seeded(index + 3);
  const scale = name.tenant === undefined && name.endpoint === undefined ? 9_000 : 2_400 / (1 + index);
  return Array.from({ length: HOURS }, (_, hour) => {
    const wave = 0.35 + 0.65 * Math.max(0, Math.sin((((hour % 24) - 6) / 24) * 2 * Math.PI));
    const calls = Math.round(scale * wave * (0.85 + 0.3 * random()) * (hour > 120 ? 0.6 : 1));
    const errors = Math.round(calls * (hour >= 86 && hour < 91 ? 0.078 : 0.002 + 0.004 * random()));
    const start = new Date(FIRST_HOUR_MS + hour * HOUR_MS).toISOString().replace('.000Z', 'Z');
    return {
      start,
      ...name,
      calls,
      late: 0,
      errors,
      bytesIn: calls * 412,
      bytesOut: calls * 5_120,
      records: null,
      averageMs: 42.5,
      standardError: 0,
    };
  }).filter((_, hour) => hour < GAP[0] || hour > GAP[1]);
}

function daily(hourly: readonly UsageRow[]): UsageRow[] {
  const days = new Map<string, UsageRow>();
  for (const row of hourly) {
    const start = `${row.start?.slice(0, 10)}T00:00:00Z`;
    const key = JSON.stringify([start, row.tenant, row.endpoint]);
    const sum = days.get(key) ?? { ...row, start, calls: 0, errors: 0 };
    days.set(key, { ...sum, calls: sum.calls + row.calls, errors: sum.errors + row.errors });
  }
  return [...days.values()];
}
