import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importBill } from '../src/bill/index.ts';
import { costReport, postAllocation, reconcile, reconcileFully } from '../src/ledger/index.ts';
import { parseMonth, parseRange } from '../src/model/index.ts';
import { applyVersions, openStore, type Store } from '../src/store/index.ts';

export interface ReportFigures {
  readonly calls: number;
  readonly shares: number;
  readonly allocateSeconds: number;
  readonly againSeconds: number;
  readonly costSeconds: number;
  readonly costByDaySeconds: number;
  readonly reconcileSeconds: number;
  readonly fullReconcileSeconds: number;
  readonly residual: string;
}

const MONTH = '2026-10';
const HOURS = 31 * 24;
const TENANTS = 1_000;
const ENDPOINTS = 20;

/** Makes a month of calls in the store, an hourly bill and its postings, then asks for them. */
export async function benchReports(calls: number, folder: string): Promise<ReportFigures> {
  const store = await openStore({ folder });
  try {
    await makeCalls(store, calls);
    await makeBill(store, folder);
    const range = parseRange('2026-10-01', '2026-11-01');
    const allocated = await timed(() => postAllocation(store, range, new Date()));
    const again = await timed(() => postAllocation(store, range, new Date()));
    const cost = await timed(() => costReport(store, range, ['tenant', 'endpoint']));
    const byDay = await timed(() => costReport(store, range, ['tenant', 'day'], undefined, 'Europe/Berlin'));
    const plain = await timed(() => reconcile(store, parseMonth(MONTH)));
    const full = await timed(() => reconcileFully(store, parseMonth(MONTH), ['service', 'day'], new Date()));
    return {
      calls: cost.answer.rows.reduce((sum, row) => sum + (row.calls ?? 0), 0),
      shares: allocated.answer.rows - allocated.answer.posted,
      allocateSeconds: allocated.seconds,
      againSeconds: again.seconds,
      costSeconds: cost.seconds,
      costByDaySeconds: byDay.seconds,
      reconcileSeconds: plain.seconds,
      fullReconcileSeconds: full.seconds,
      residual: cost.answer.identity.residual,
    };
  } finally {
    await store.close();
  }
}

async function timed<Answer>(work: () => Promise<Answer>): Promise<{ answer: Answer; seconds: number }> {
  const start = performance.now();
  const answer = await work();
  return { answer, seconds: (performance.now() - start) / 1000 };
}

/** Hour after hour, as a collector would bring them; few tenants make most of the calls. */
async function makeCalls(store: Store, calls: number): Promise<void> {
  const perDay = Math.ceil(calls / 31);
  const tenant = `concat('tenant-', toString(toUInt32(${TENANTS} * pow((cityHash64(number, {day:UInt32}) % 1000003) / 1000003, 3))))`;
  const endpoint = `concat('GET /v1/e', toString(cityHash64(number, 1, {day:UInt32}) % ${ENDPOINTS}))`;
  const at = `toDateTime64('2026-10-01 00:00:00', 9, 'UTC') + toIntervalSecond({day:UInt32} * 86400 + intDiv(number * 86400, {perDay:UInt64}))`;
  for (let day = 0; day < 31; day++) {
    const params = { day, perDay };
    await store.columns.command(
      `INSERT INTO work (batch, sign, received, call_trace, call_span, is_call, share, tenant, endpoint, start_at, end_at, is_timed,
        weight, is_weight_known, service, busy_us, cpu_us)
       SELECT {day:UInt32} + 1, 1, '2026-10-05', reinterpretAsFixedString(toUInt128(number + {day:UInt32} * 10000000000)), 'x', 1, 1000000, ${tenant}, ${endpoint},
        ${at}, ${at}, 1, 1000000, 1, 'api', 1 + cityHash64(number) % 1000000, 5
       FROM numbers({perDay:UInt64})`,
      params,
    );
    await store.columns.command(
      `INSERT INTO usage_minute (marker, minute, tenant, endpoint, consumer, calls, known, errors, timed, duration_us)
       SELECT 0, toStartOfMinute(${at}) AS of_minute, ${tenant} AS of_tenant, ${endpoint} AS of_endpoint, '', count() * 1000000, count() * 1000000, 0, count() * 1000000, 5
       FROM numbers({perDay:UInt64}) GROUP BY of_minute, of_tenant, of_endpoint`,
      params,
    );
  }
}

async function makeBill(store: Store, folder: string): Promise<void> {
  const head =
    'ProviderName,BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ServiceCategory,ServiceName,ResourceId,BilledCost,EffectiveCost,ListCost,ContractedCost';
  const lines = Array.from({ length: HOURS }, (_, hour) => {
    const at = (hours: number) => new Date(Date.UTC(2026, 9, 1, hours)).toISOString();
    return ['vm', 'db', 'net'].map(
      (service, place) =>
        `AWS,acct,USD,2026-10-01,2026-11-01,${at(hour)},${at(hour + 1)},Usage,Compute,${service},r-${service},${place + 1}.25,${place + 1}.123456789,9,9`,
    );
  });
  const path = join(folder, 'bill.csv');
  writeFileSync(path, `${[head, ...lines.flat()].join('\n')}\n`);
  await importBill(store, [{ name: 'bill.csv', path }], { format: 'focus', replace: false, now: new Date() });
  const pools = [
    { id: 'vm', kind: 'direct', match: { ServiceName: 'vm' }, driver: 'busy_us' },
    { id: 'db', kind: 'direct', match: { ServiceName: 'db' }, driver: 'cpu_us' },
  ];
  const spec = { currency: 'USD', basis: 'effective', pools };
  const version = { kind: 'CostModel', name: 'bench', effectiveFromMs: 0, spec, reason: '' };
  await applyVersions(store.documents, [version], 'bench', new Date());
}
