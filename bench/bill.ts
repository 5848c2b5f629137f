import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { importBill } from '../src/bill/index.ts';
import { openStore } from '../src/store/index.ts';

export interface BillFigures {
  readonly rows: number;
  readonly fileBytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly billed: string;
}

/** Imports a made FOCUS bill in Parquet: 45 columns as clouds fill them, 7,000 resources, a month of hours. */
export async function benchBill(rows: number, folder: string): Promise<BillFigures> {
  const path = join(folder, 'bill.parquet');
  const store = await openStore({ folder: join(folder, 'bill') });
  let peakBytes = 0;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 100);
  try {
    await store.columns.command(billSql(rows, path));
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    const options = { format: 'auto', replace: false, now: new Date() } as const;
    const summary = await importBill(store, [{ name: 'bill.parquet', path }], options);
    const { user, system } = process.cpuUsage(cpu);
    return {
      rows: summary.rows,
      fileBytes: statSync(path).size,
      seconds: (performance.now() - start) / 1000,
      cpuSeconds: (user + system) / 1e6,
      peakBytes,
      billed: summary.groups[0]!.billed,
    };
  } finally {
    clearInterval(watch);
    await store.close();
    rmSync(path, { force: true });
  }
}

function billSql(rows: number, path: string): string {
  const hour = (offset: number) =>
    `toDateTime64(toDateTime('2024-09-01 00:00:00', 'UTC') + (intDiv(number, 7000) % 720 + ${offset}) * 3600, 3, 'UTC')`;
  const empty = 'CAST(NULL AS Nullable(String))';
  const columns = {
    BilledCost: 'toDecimal128(cityHash64(number) % 1000000, 10) / 10000000',
    EffectiveCost: 'BilledCost',
    ListCost: 'BilledCost * 2',
    ContractedCost: 'BilledCost',
    BillingCurrency: "'USD'",
    BillingAccountId: "'0123456789'",
    BillingAccountName: "'Payer'",
    BillingPeriodStart: "toDateTime64('2024-09-01 00:00:00', 3, 'UTC')",
    BillingPeriodEnd: "toDateTime64('2024-10-01 00:00:00', 3, 'UTC')",
    ChargePeriodStart: hour(0),
    ChargePeriodEnd: hour(1),
    ChargeCategory: "'Usage'",
    ChargeClass: empty,
    ChargeDescription: "concat('usage of meter ', toString(number % 977))",
    ChargeFrequency: "'Usage-Based'",
    CommitmentDiscountCategory: empty,
    CommitmentDiscountId: empty,
    CommitmentDiscountStatus: empty,
    CommitmentDiscountType: empty,
    ConsumedQuantity: 'toDecimal128(number % 3600, 6)',
    ConsumedUnit: "'Seconds'",
    ContractedUnitPrice: 'toDecimal128(0.1, 6)',
    InvoiceId: "concat('INV-', toString(number % 3))",
    InvoiceIssuerName: "'AWS'",
    ListUnitPrice: 'toDecimal128(0.2, 6)',
    PricingCategory: "'Standard'",
    PricingQuantity: 'ConsumedQuantity',
    PricingUnit: "'Hours'",
    ProviderName: "'AWS'",
    PublisherName: "'AWS'",
    RegionId: "'us-east-1'",
    RegionName: "'US East'",
    AvailabilityZone: "concat('us-east-1', char(97 + number % 4))",
    ResourceId: "concat('arn:aws:ec2:us-east-1:0123456789:instance/i-', lower(hex(number % 7000)))",
    ResourceName: "concat('name-', toString(number % 7000))",
    ResourceType: "'Instance'",
    ServiceCategory: "['Compute', 'Storage', 'Databases', 'Networking'][number % 4 + 1]",
    ServiceName: "concat('Service ', toString(number % 40))",
    ServiceSubcategory: "concat('Sub ', toString(number % 60))",
    SkuId: "concat('SKU', toString(number % 977))",
    SkuPriceId: "concat('SKU', toString(number % 977), '.P')",
    SkuMeter: "'CPU'",
    SubAccountId: "concat('acct-', toString(number % 50))",
    SubAccountName: "concat('Account ', toString(number % 50))",
    Tags: `concat('{"team":"t', toString(number % 30), '","env":"prod","app":"app-', toString(number % 300), '"}')`,
  };
  const select = Object.entries(columns).map(([name, expression]) => `${expression} AS ${name}`);
  return `INSERT INTO FUNCTION file('${path}', Parquet) SELECT ${select.join(', ')} FROM numbers(${rows})
    SETTINGS output_format_parquet_compression_method = 'snappy', max_threads = 1`;
}
