import { join } from 'node:path';
import { stringify } from 'yaml';
import { Random } from '../src/advise/simulation/random.ts';
import { House } from '../test/flow/house.ts';
import { billOf } from '../test/flow/small-input.ts';
import { endpointNames, makeCall, type TrueCall, tenantNames } from './accuracy-world.ts';

const START_US = Date.UTC(2022, 7, 1) * 1000;
const HOURS = 4;
/** What a unit truly costs: dollars for a second of CPU and of the database. */
const CPU_PRICE = 0.00004;
const DB_PRICE = 0.00012;
/** 95 of 100 normal errors are within so many standard errors. */
const BAND = 1.96;
/** Messages that a worker takes at once. */
const BATCH = 10;

/** A tracestate threshold, and how many spans a kept one stands for. */
const samplings = [
  { name: '100 %', oneIn: 1, state: 'ot=th:0' },
  { name: '10 %', oneIn: 10, state: 'ot=th:e6666666666666' },
  { name: '1 %', oneIn: 100, state: 'ot=th:fd70a3d70a3d70' },
] as const;

type Costs = Map<string, number>;

interface Figures {
  readonly what: string;
  readonly endpointError: number;
  readonly tenantError: number;
  /** Of endpoints and tenants whose true cost lies in the band; null where there is none. */
  readonly inBand: string | null;
}

/**
 * Makes traffic whose true cost is known, sends it through collector, bill, allocation and report, and holds the answer against the truth,
 * beside methods that look at less.
 */
export async function benchAccuracy(keptCalls: number, folder: string): Promise<Figures[]> {
  const figures: Figures[] = [];
  for (const [place, sampling] of samplings.entries()) {
    const count = keptCalls * sampling.oneIn;
    const isKept = (number: number) => new Random('accuracy', 'kept', place, number).unit() < 1 / sampling.oneIn;
    const kept: TrueCall[] = [];
    const calls = Array.from({ length: count }, (_, number) => {
      const call = callAt(place, number, count);
      if (isKept(number)) kept.push(call);
      // Nobody looks at the spans of a call that is not kept, and a million of them would fill the memory.
      return { ...call, spans: [] };
    });
    const truth = costsOf(calls);
    const drivers = place === 0 ? (['cpu_us', 'busy_us'] as const) : (['cpu_us'] as const);
    for (const driver of drivers) {
      const told = await attributed(join(folder, `accuracy-${place}-${driver}`), kept, sampling.state, calls, driver);
      const band = place === 0 ? null : bandOf(kept, sampling.oneIn, calls);
      const name = driver === 'cpu_us' ? 'Taximeter, CPU measured' : 'Taximeter, spans only';
      figures.push({
        what: `${name}, ${sampling.name} of traces`,
        ...errorsOf(told, truth),
        inBand: band && withinBand(told, truth, band),
      });
    }
    if (place > 0) continue;
    figures.push({
      what: 'bill / calls',
      ...errorsOf(
        spread(calls, () => 1),
        truth,
      ),
      inBand: null,
    });
    figures.push({
      what: 'wall time of calls',
      ...errorsOf(
        spread(calls, ({ wallUs }) => wallUs),
        truth,
      ),
      inBand: null,
    });
  }
  return figures;
}

function callAt(sampling: number, number: number, count: number): TrueCall {
  const startUs = START_US + Math.floor((number / count) * HOURS * 3600) * 1_000_000;
  // A batch is kept or not by a throw of its own: what is kept of it then mostly leads to calls that were not.
  return makeCall(new Random('accuracy', sampling, number), startUs, sampling === 0);
}

function trueCost({ cpuUs, dbUs, feeUsd }: TrueCall): number {
  return (cpuUs * CPU_PRICE + dbUs * DB_PRICE) / 1e6 + feeUsd;
}

function costsOf(calls: readonly TrueCall[], cost: (call: TrueCall) => number = trueCost): Costs {
  const costs: Costs = new Map();
  for (const call of calls)
    for (const key of [call.endpoint, call.tenant]) costs.set(key, (costs.get(key) ?? 0) + cost(call));
  return costs;
}

/** The whole bill by one quantity of calls. */
function spread(calls: readonly TrueCall[], quantity: (call: TrueCall) => number): Costs {
  const bill = calls.reduce((sum, call) => sum + trueCost(call), 0);
  const all = calls.reduce((sum, call) => sum + quantity(call), 0);
  return costsOf(calls, (call) => (bill * quantity(call)) / all);
}

async function attributed(
  folder: string,
  kept: readonly TrueCall[],
  state: string,
  calls: readonly TrueCall[],
  driver: string,
): Promise<Costs> {
  const house = await House.open(folder);
  try {
    const requests: string[] = [];
    for (let from = 0; from < kept.length; from += 200)
      requests.push(requestOf(kept.slice(from, from + 200), from, state));
    const orders = kept.flatMap((call, place) => (call.batchUs > 0 ? [{ call, place }] : []));
    for (let from = 0; from < orders.length; from += BATCH)
      requests.push(batchOf(orders.slice(from, from + BATCH), kept.length + from, state));
    await house.ingestTraces(requests);
    await house.importBills([billFor(calls)]);
    await house.apply(modelFor(driver));
    const range = { from: '2022-08-01', to: '2022-08-02' };
    await house.allocate(range);
    const { rows, identity } = await house.report(range);
    if (/[1-9]/.test(identity.residual)) throw new Error(`a residual of ${identity.residual}`);
    const costs: Costs = new Map();
    for (const { tenant = '', endpoint = '', full } of rows)
      for (const key of [endpoint, tenant]) costs.set(key, (costs.get(key) ?? 0) + Number(full));
    return costs;
  } finally {
    await house.close();
  }
}

function modelFor(driver: string): string {
  const pools = [
    { id: 'nodes', kind: 'direct', match: { ServiceName: 'vm' }, driver },
    { id: 'database', kind: 'direct', match: { ServiceName: 'db' }, driver: 'db_us' },
    { id: 'fees', kind: 'direct', fees: {} },
  ];
  return stringify({
    apiVersion: 'taximeter/v1',
    kind: 'CostModel',
    metadata: { name: 'accuracy' },
    spec: { currency: 'USD', pools },
  });
}

/** What all calls used, sampled or not, hour by hour. Fees are on no bill: spans say them. */
function billFor(calls: readonly TrueCall[]): string {
  const rows = Array.from({ length: HOURS }, (_, hour) => {
    const own = calls.filter(({ startUs }) => Math.floor((startUs - START_US) / 3.6e9) === hour);
    const at = (hours: number) => new Date(START_US / 1000 + hours * 3_600_000).toISOString();
    const period = { ChargePeriodStart: at(hour), ChargePeriodEnd: at(hour + 1) };
    const cost = (of: (call: TrueCall) => number, price: number) =>
      (own.reduce((sum, call) => sum + of(call), 0) * price * 1e-6).toFixed(12);
    return [
      { ...period, ServiceName: 'vm', EffectiveCost: cost(({ cpuUs }) => cpuUs, CPU_PRICE) },
      { ...period, ServiceName: 'db', EffectiveCost: cost(({ dbUs }) => dbUs, DB_PRICE) },
    ];
  });
  return billOf(rows.flat());
}

const kinds = { server: 2, db: 3, client: 3 } as const;

function requestOf(calls: readonly TrueCall[], first: number, traceState: string): string {
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const byService = new Map<string, object[]>();
  calls.forEach((call, place) => {
    const traceId = traceOf(first + place);
    const id = (span: number) => (span + 1).toString(16).padStart(16, '0');
    const [method = '', route = ''] = call.endpoint.split(' ');
    call.spans.forEach(({ service, parent, kind, fromUs, toUs, cpuUs, feeUsd }, span) => {
      const attributes = [
        ...(parent < 0
          ? [text('tenant.id', call.tenant), text('http.request.method', method), text('http.route', route)]
          : []),
        ...(kind === 'db' ? [text('db.system.name', 'postgresql')] : []),
        ...(kind === 'client' ? [text('server.address', 'pay.example')] : []),
        ...(cpuUs > 0 ? [{ key: 'taximeter.cpu_us', value: { intValue: String(cpuUs) } }] : []),
        ...(feeUsd > 0 ? [text('taximeter.charge', String(feeUsd)), text('taximeter.charge_currency', 'USD')] : []),
      ];
      const ns = (us: number) => `${call.startUs + us}000`;
      const made = { traceId, spanId: id(span), kind: kinds[kind], name: kind, traceState, attributes };
      const spans = byService.get(service) ?? [];
      spans.push({
        ...made,
        ...(parent >= 0 && { parentSpanId: id(parent) }),
        startTimeUnixNano: ns(fromUs),
        endTimeUnixNano: ns(toUs),
      });
      byService.set(service, spans);
    });
  });
  const resourceSpans = [...byService].map(([service, spans]) => ({
    resource: { attributes: [text('service.name', service)] },
    scopeSpans: [{ spans }],
  }));
  return JSON.stringify({ resourceSpans });
}

/** One span of a worker for the messages of several calls, which it names by links. */
function batchOf(orders: readonly { call: TrueCall; place: number }[], number: number, traceState: string): string {
  const startUs = Math.max(...orders.map(({ call }) => call.startUs + call.wallUs));
  const cpuUs = orders.reduce((sum, { call }) => sum + call.batchUs, 0);
  const links = orders.map(({ place }) => ({ traceId: traceOf(place), spanId: '1'.padStart(16, '0') }));
  const times = { startTimeUnixNano: `${startUs}000`, endTimeUnixNano: `${startUs + cpuUs}000` };
  const attributes = [{ key: 'taximeter.cpu_us', value: { intValue: String(cpuUs) } }];
  const span = {
    traceId: traceOf(number + 10 ** 9),
    spanId: '1'.padStart(16, '0'),
    kind: 5,
    name: 'batch',
    traceState,
    attributes,
    links,
    ...times,
  };
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'worker' } }] };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] });
}

function traceOf(place: number): string {
  return (place + 1).toString(16).padStart(32, '0');
}

/**
 * How far costs may be off because traces were sampled: for each endpoint and tenant, the root of the sum of w (w - 1) c^2 over traces. What a
 * trace adds to a share of a bill is its own part less the part that its group has of everything: a bill is shared whole, however few are kept.
 */
function bandOf(kept: readonly TrueCall[], weight: number, calls: readonly TrueCall[]): Costs {
  const bands: Costs = new Map();
  const bills = {
    cpuUs: calls.reduce((sum, { cpuUs }) => sum + cpuUs, 0) * CPU_PRICE * 1e-6,
    dbUs: calls.reduce((sum, { dbUs }) => sum + dbUs, 0) * DB_PRICE * 1e-6,
  };
  for (const key of [...endpointNames, ...tenantNames]) {
    const isOurs = (call: TrueCall) => call.endpoint === key || call.tenant === key;
    const sumOf = (name: 'cpuUs' | 'dbUs', own: boolean) =>
      kept.reduce((sum, call) => (own && !isOurs(call) ? sum : sum + weight * call[name]), 0);
    const shares = {
      cpuUs: sumOf('cpuUs', true) / sumOf('cpuUs', false),
      dbUs: sumOf('dbUs', true) / sumOf('dbUs', false),
    };
    const all = { cpuUs: sumOf('cpuUs', false), dbUs: sumOf('dbUs', false) };
    let variance = 0;
    for (const call of kept) {
      const part = (name: 'cpuUs' | 'dbUs') =>
        (bills[name] * call[name] * ((isOurs(call) ? 1 : 0) - shares[name])) / all[name];
      const effect = part('cpuUs') + part('dbUs') + (isOurs(call) ? call.feeUsd : 0);
      variance += weight * (weight - 1) * effect ** 2;
    }
    bands.set(key, BAND * Math.sqrt(variance));
  }
  return bands;
}

function withinBand(told: Costs, truth: Costs, band: Costs): string {
  const keys = [...truth.keys()];
  const within = keys.filter((key) => Math.abs((told.get(key) ?? 0) - truth.get(key)!) <= band.get(key)!);
  return `${within.length} of ${keys.length}`;
}

/** Mean absolute errors as shares of the truth. */
function errorsOf(told: Costs, truth: Costs): { endpointError: number; tenantError: number } {
  const mean = (keys: readonly string[]) =>
    keys.reduce((sum, key) => sum + Math.abs((told.get(key) ?? 0) / truth.get(key)! - 1), 0) / keys.length;
  return { endpointError: mean(endpointNames), tenantError: mean(tenantNames) };
}
