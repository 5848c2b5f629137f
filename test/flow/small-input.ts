import { stringify } from 'yaml';

/** The smallest inputs that the rooms take: one request, one sample, one bill, one model; what is not said is usual. */

const AUGUST_1 = Date.UTC(2022, 7, 1);

export interface SmallCall {
  readonly id: number;
  readonly tenant?: string;
  readonly route?: string;
  readonly service?: string;
  /** Milliseconds after the beginning of August 2022. */
  readonly atMs?: number;
  readonly durationMs?: number;
  readonly traceState?: string;
  readonly cpuUs?: number;
}

/** One OTLP/JSON request with one call of one span. */
export function callRequest(call: SmallCall): string {
  const { id, tenant = 'acme', route = '/a', service = 'api', atMs = 0, durationMs = 10, traceState, cpuUs } = call;
  const startMs = BigInt(AUGUST_1 + atMs);
  const span = {
    traceId: id.toString(16).padStart(32, '0'),
    spanId: id.toString(16).padStart(16, '0'),
    name: 'call',
    kind: 2,
    traceState,
    startTimeUnixNano: String(startMs * 1_000_000n),
    endTimeUnixNano: String((startMs + BigInt(durationMs)) * 1_000_000n),
    attributes: [
      text('tenant.id', tenant),
      text('http.request.method', 'GET'),
      text('http.route', route),
      ...(cpuUs === undefined ? [] : [{ key: 'taximeter.cpu_us', value: { intValue: String(cpuUs) } }]),
    ],
  };
  const resource = { attributes: [text('service.name', service)] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
}

function text(key: string, stringValue: string) {
  return { key, value: { stringValue } };
}

const usualCharge = {
  ProviderName: 'AWS',
  BillingAccountId: 'acct',
  BillingCurrency: 'USD',
  BillingPeriodStart: '2022-08-01T00:00:00Z',
  BillingPeriodEnd: '2022-09-01T00:00:00Z',
  ChargePeriodStart: '2022-08-01T00:00:00Z',
  ChargePeriodEnd: '2022-08-01T01:00:00Z',
  ChargeCategory: 'Usage',
  ServiceCategory: 'Compute',
  ServiceName: 'vm',
  BilledCost: '1',
  EffectiveCost: '1',
  ListCost: '1',
  ContractedCost: '1',
  Tags: '',
};

export type SmallCharge = Partial<Record<keyof typeof usualCharge, string>>;

/** A FOCUS export. */
export function billOf(charges: readonly SmallCharge[]): string {
  const rows = charges.map((charge) => Object.values({ ...usualCharge, ...charge }));
  const lines = [Object.keys(usualCharge), ...rows].map((cells) => cells.map(quoted).join(','));
  return `${lines.join('\n')}\n`;
}

function quoted(cell: string): string {
  return `"${cell.replace(/"/g, '""')}"`;
}

/** An hour of August 2022, counted from its beginning. */
export function hour(number: number): Pick<Required<SmallCharge>, 'ChargePeriodStart' | 'ChargePeriodEnd'> {
  const at = (hours: number) => new Date(AUGUST_1 + hours * 3_600_000).toISOString();
  return { ChargePeriodStart: at(number), ChargePeriodEnd: at(number + 1) };
}

/** A CostModel document; without pools of its own it shares every vm by calls. */
export function modelOf(
  pools: readonly Record<string, unknown>[] = [{ id: 'vm', match: { ServiceName: 'vm' } }],
  { effectiveFrom = '2022-08-01', ...spec }: { effectiveFrom?: string; currency?: string; basis?: string } = {},
): string {
  return stringify({
    apiVersion: 'taximeter/v1',
    kind: 'CostModel',
    metadata: { name: 'small', effectiveFrom },
    spec: { currency: 'USD', ...spec, pools: pools.map((pool) => ({ kind: 'direct', driver: 'calls', ...pool })) },
  });
}

export const AUGUST = { from: '2022-08-01', to: '2022-09-01' };
