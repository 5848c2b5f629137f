import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importBill } from '../../src/bill/index.ts';
import { boundarySpec, Collector, endpointMapSpec, tenantMapSpec } from '../../src/collect/index.ts';
import { costModelSpec } from '../../src/cost/index.ts';
import { type CostReport, costReport, type PostingSummary, postAllocation } from '../../src/ledger/index.ts';
import { parseRange } from '../../src/model/index.ts';
import { applyVersions, openStore, parseDocuments, type Store, type StoreConfig } from '../../src/store/index.ts';
import type { Audit, AuditInput } from './auditor/auditor.ts';

/** The rooms from collect to ledger on one data folder, wired as commands wire them. */
export class House {
  readonly store: Store;
  readonly collector: Collector;
  readonly #folder: string;
  #bills = 0;

  private constructor(store: Store, collector: Collector, folder: string) {
    this.store = store;
    this.collector = collector;
    this.#folder = folder;
  }

  /** Takes  nowMs: the clock by which data is received. store: on another engine than the embedded one. */
  static async open(folder: string, nowMs: () => number = Date.now, config: Partial<StoreConfig> = {}): Promise<House> {
    return House.on(await openStore({ ...config, folder }), folder, nowMs);
  }

  /** Opens the rooms on engines that are open already. Takes  folder: for journals and files. */
  static async on(store: Store, folder: string, nowMs: () => number): Promise<House> {
    mkdirSync(folder, { recursive: true });
    const collector = await Collector.open({
      store,
      folder,
      nowMs,
      loadEveryMs: 3_600_000,
      journalCapacityBytes: 2 ** 31,
      warn: (message) => {
        throw new Error(message);
      },
    });
    return new House(store, collector, folder);
  }

  async close(): Promise<void> {
    await this.collector.close();
    await this.store.close();
  }

  async ingestTraces(lines: readonly string[]): Promise<void> {
    await inTurns(lines, (line) => this.collector.traces(Buffer.from(line), 'json'));
    await this.collector.settle();
  }

  async ingestMetrics(lines: readonly string[]): Promise<void> {
    await inTurns(lines, (line) => this.collector.metrics(Buffer.from(line), 'json'));
    await this.collector.settle();
  }

  /** Each text is a whole export. */
  async importBills(bills: readonly string[]): Promise<void> {
    for (const bill of bills) {
      const name = `bill-${this.#bills++}.csv`;
      const path = join(this.#folder, name);
      writeFileSync(path, bill);
      await importBill(this.store, [{ name, path }], { format: 'focus', replace: true, now: new Date() });
    }
  }

  async apply(text: string): Promise<void> {
    const [TenantMap, EndpointMap] = [tenantMapSpec, endpointMapSpec];
    const schemas = { CostModel: costModelSpec, Boundary: boundarySpec, TenantMap, EndpointMap };
    const versions = parseDocuments(text).map(({ kind, name, effectiveFromMs, reason, check }) => {
      const checked = check<unknown>(schemas[kind as keyof typeof schemas]);
      if ('problems' in checked) throw new Error(JSON.stringify(checked.problems));
      return { kind, name, effectiveFromMs, reason, spec: checked.value };
    });
    await applyVersions(this.store.documents, versions, 'test', new Date());
    if (versions.some(({ kind }) => kind === 'Boundary')) await this.collector.applyBoundary();
    if (versions.some(({ kind }) => kind.endsWith('Map'))) await this.collector.applyNaming();
  }

  allocate({ from, to }: Pick<AuditInput, 'from' | 'to'>): Promise<PostingSummary> {
    return postAllocation(this.store, parseRange(from, to), new Date());
  }

  report({ from, to }: Pick<AuditInput, 'from' | 'to'>): Promise<CostReport> {
    return costReport(this.store, parseRange(from, to), ['tenant', 'endpoint']);
  }
}

const AT_ONCE = 64;

/** Sends requests in their order, many before the first answer is there, as senders do: the journal syncs them together. */
async function inTurns(lines: readonly string[], send: (line: string) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < lines.length; at += AT_ONCE) await Promise.all(lines.slice(at, at + AT_ONCE).map(send));
}

/** A report in the form of an audit, to be compared digit for digit. */
export function auditForm({ identity, pools, rows }: CostReport): Omit<Audit, 'stats'> {
  const zero = '0.000000000000000000';
  const poolForm = ({ tenants, idle, unattributed, out_of_scope }: CostReport['pools'][number]) => ({
    tenants,
    ...(idle === zero ? {} : { idle }),
    ...(unattributed === zero ? {} : { unattributed }),
    ...(out_of_scope === zero ? {} : { out_of_scope }),
  });
  return {
    identity: { ...identity },
    pools: Object.fromEntries(pools.map((pool) => [pool.pool, poolForm(pool)])),
    rows: rows.map(({ tenant = '', endpoint = '', calls, direct, indirect, full, directPerCall, fullPerCall }) => ({
      ...{ tenant, endpoint, calls: calls ?? 0, direct, indirect, full, directPerCall, fullPerCall },
    })),
  };
}
