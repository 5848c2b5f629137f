import { costReport, postAllocation } from '../src/ledger/index.ts';
import { parseRange } from '../src/model/index.ts';
import { applyVersions, openStore } from '../src/store/index.ts';

export interface AllocationFigures {
  readonly shares: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly residual: string;
  readonly tenants: string;
}

const POOLS = 20;

/** Shares out fixed amounts over made work rows: `groups` pairs of tenant and endpoint times 20 pools. */
export async function benchAllocation(groups: number, folder: string): Promise<AllocationFigures> {
  const store = await openStore({ folder });
  try {
    await store.columns.command(
      `INSERT INTO work (batch, sign, received, call_trace, call_span, is_call, share, tenant, endpoint, start_at, end_at, is_timed,
        weight, is_weight_known, service, busy_us, db_us, db_calls, ext_us, ext_calls)
      SELECT 1, 1, '2026-10-05', toString(number), 'x', 1, 1000000, concat('tenant-', toString(intDiv(number, 50))), concat('GET /v1/e', toString(number % 50)),
        toDateTime64('2026-10-05 10:00:00', 9, 'UTC') + toIntervalSecond(number % 3000), toDateTime64('2026-10-05 11:00:00', 9, 'UTC'), 1,
        1000000, 1, 'api', 1 + cityHash64(number) % 1000000, 1 + cityHash64(number, 1) % 1000000, 1, 1 + cityHash64(number, 2) % 9999, 1
      FROM numbers({groups:UInt64})`,
      { groups },
    );
    const drivers = ['busy_us', 'db_us', 'ext_us', 'calls', 'spans'];
    const pools = Array.from({ length: POOLS }, (_, place) => ({
      id: `pool-${place}`,
      kind: 'direct',
      fixed: { amount: `${1000 + place}.123456789`, per: 'day', spread: 'period' },
      driver: drivers[place % drivers.length],
    }));
    const spec = { currency: 'USD', basis: 'effective', pools };
    await applyVersions(
      store.documents,
      [{ kind: 'CostModel', name: 'bench', effectiveFromMs: 0, spec, reason: '' }],
      'bench',
      new Date(),
    );
    const range = parseRange('2026-10-05', '2026-10-06');
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    const posted = await postAllocation(store, range, new Date());
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (performance.now() - start) / 1000;
    const { identity } = await costReport(store, range, ['pool']);
    return {
      shares: posted.rows - posted.posted,
      seconds,
      cpuSeconds: (user + system) / 1e6,
      residual: identity.residual,
      tenants: identity.tenants,
    };
  } finally {
    await store.close();
  }
}
