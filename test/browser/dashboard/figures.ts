import type { CostAnswer, CostRow } from '../../../src/serve/contract/contract.ts';

/** A seeded shop: 12 tenants, 20 endpoints, one January; every amount is exact and everything adds up. */
export const TENANTS = [
  'acme',
  'globex',
  'initech',
  'umbrella',
  'stark-industries',
  'wayne',
  'hooli',
  'vandelay-imports',
  'soylent',
  'cyberdyne',
  'a-tenant-with-a-remarkably-long-legal-name-gmbh-and-co-kg',
  '(unknown)',
] as const;

export const ENDPOINTS = [
  'GET /',
  'GET /cart',
  'POST /cart',
  'POST /cart/checkout',
  'GET /product/{id}',
  'GET /product/{id}/recommendations',
  'POST /setCurrency',
  'GET /v1/users/{id}',
  'PATCH /v1/users/{id}',
  'GET /v1/organisations/{organisation}/projects/{project}/environments/{environment}/deployments/{deployment}/logs',
  'POST /v1/orders',
  'GET /v1/orders/{id}',
  'DELETE /v1/orders/{id}',
  'GET /v1/search',
  'POST /v1/completions',
  'POST /v1/embeddings',
  'GET /v1/reports/{date}',
  'POST /v1/webhooks/stripe',
  'GET /healthz',
  'oteldemo.CheckoutService/PlaceOrder',
] as const;

/** A small generator, so that every run draws the same shop. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const REAL_ROW = { calls: 110, direct: 138_570_851_747_471_218n, indirect: 5_189_772_742_423_934_683n };
const CREDIT_ROW = { calls: 40, direct: -1_250_000_000_000_000_001n, indirect: 310_000_000_000_000_000n };

export interface Pair {
  readonly tenant: string;
  readonly endpoint: string;
  readonly calls: number;
  readonly direct: bigint;
  readonly indirect: bigint;
}

export const PAIRS: readonly Pair[] = drawPairs();

function drawPairs(): Pair[] {
  const random = seeded(7);
  return TENANTS.flatMap((tenant, t) =>
    ENDPOINTS.map((endpoint, e) => {
      const calls = Math.floor((random() ** 3 * 90_000) / (1 + t)) + (e === 18 ? 0 : 3);
      const unit = BigInt(Math.floor(random() * 4e14)) * (e === 14 ? 40n : 1n);
      const drawn = { calls, direct: BigInt(calls) * unit, indirect: BigInt(calls) * 380_000_000_000_007n };
      if (t === 0 && e === 0) return { tenant, endpoint, ...REAL_ROW };
      return { tenant, endpoint, ...(t === 2 && e === 5 ? CREDIT_ROW : drawn) };
    }),
  );
}

export function moneyText(atto: bigint, digits = 18): string {
  const text = (atto < 0n ? -atto : atto).toString().padStart(digits + 1, '0');
  return `${atto < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** Independent of the page's own arithmetic: nearest by adding half, ties looked at separately. */
function perCallText(atto: bigint, calls: number): string | null {
  if (calls === 0) return null;
  const micro = BigInt(Math.round(calls * 1e6));
  const size = atto < 0n ? -atto : atto;
  let nearest = (2n * size + micro) / (2n * micro);
  if ((2n * size + micro) % (2n * micro) === 0n && nearest % 2n === 1n) nearest -= 1n;
  return moneyText(atto < 0n ? -nearest : nearest, 12);
}

export function rowsBy(by: string, pairs: readonly Pair[] = PAIRS): CostRow[] {
  const sums = new Map<string, Pair & Pick<CostRow, 'tenant' | 'endpoint'>>();
  for (const pair of pairs) {
    const key = JSON.stringify([by.includes('tenant') && pair.tenant, by.includes('endpoint') && pair.endpoint]);
    const sum = sums.get(key) ?? { ...pair, calls: 0, direct: 0n, indirect: 0n };
    sums.set(key, {
      ...sum,
      calls: sum.calls + pair.calls,
      direct: sum.direct + pair.direct,
      indirect: sum.indirect + pair.indirect,
    });
  }
  return [...sums.values()].map((sum) => rowFromSum(sum, by));
}

function rowFromSum({ tenant, endpoint, calls, direct, indirect }: Pair, by: string): CostRow {
  return {
    ...(by.includes('tenant') && { tenant }),
    ...(by.includes('endpoint') && { endpoint }),
    calls,
    late: 0,
    direct: moneyText(direct),
    indirect: moneyText(indirect),
    full: moneyText(direct + indirect),
    directPerCall: perCallText(direct, calls),
    fullPerCall: perCallText(direct + indirect, calls),
    state: tenant === 'wayne' ? 'provisional' : 'final',
    standardError: null,
    coverage: { weight: tenant === '(unknown)' ? 0.82 : 1, driver: 0.973 },
    model: 'shop@3',
  };
}

const IDLE = 742_099_731_182_795_698_926n;
const UNATTRIBUTED = 18_204_410_000_000_000_003n;
const OUT_OF_SCOPE = 41_018_920_555_343_000_000n;

export function januaryCost(by: string): CostAnswer {
  const direct = PAIRS.reduce((sum, pair) => sum + pair.direct, 0n);
  const indirect = PAIRS.reduce((sum, pair) => sum + pair.indirect, 0n);
  const fixed = indirect + IDLE;
  const charges = direct + UNATTRIBUTED + OUT_OF_SCOPE;
  return {
    range: { from: '2025-01-01T00:00:00Z', to: '2025-02-01T00:00:00Z' },
    currency: 'USD',
    late: 0,
    identity: {
      bill: moneyText(charges + fixed),
      charges: moneyText(charges),
      fixed: moneyText(fixed),
      tenants: moneyText(direct + indirect),
      idle: moneyText(IDLE),
      unattributed: moneyText(UNATTRIBUTED),
      out_of_scope: moneyText(OUT_OF_SCOPE),
      residual: moneyText(0n),
    },
    pools: januaryPools(direct, indirect),
    rows: rowsBy(by),
  };
}

function januaryPools(direct: bigint, indirect: bigint): CostAnswer['pools'] {
  const pool = (
    name: string,
    kind: 'direct' | 'indirect',
    tenants: bigint,
    idle = 0n,
    unattributed = 0n,
    out = 0n,
  ) => ({
    pool: name,
    kind,
    tenants: moneyText(tenants),
    idle: moneyText(idle),
    unattributed: moneyText(unattributed),
    out_of_scope: moneyText(out),
  });
  const credit = -3_200_000_000_000_000_000n;
  const [nodes, database, network] = [(direct * 61n) / 100n, (direct * 23n) / 100n, (direct * 9n) / 100n];
  return [
    pool('nodes', 'direct', nodes, 0n, UNATTRIBUTED),
    pool('database', 'direct', database),
    pool('network', 'direct', network),
    pool('credits', 'direct', credit),
    pool('logs', 'direct', direct - nodes - database - network - credit),
    pool('oncall', 'indirect', indirect / 3n, IDLE),
    pool('tooling', 'indirect', indirect - indirect / 3n),
    pool('out_of_scope', 'direct', 0n, 0n, 0n, OUT_OF_SCOPE),
  ];
}

/** December: nobody called, and a credit is larger than what no pool took. */
export function decemberCost(): CostAnswer {
  const zero = moneyText(0n);
  return {
    range: { from: '2024-12-01T00:00:00Z', to: '2025-01-01T00:00:00Z' },
    currency: 'USD',
    late: 0,
    identity: {
      bill: '270.500000000000000000',
      charges: '270.500000000000000000',
      fixed: zero,
      tenants: zero,
      idle: '320.750000000000000001',
      unattributed: zero,
      out_of_scope: '-50.250000000000000001',
      residual: zero,
    },
    pools: [],
    rows: [],
  };
}
