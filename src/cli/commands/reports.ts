import type { Command } from 'commander';
import type { CostAnswer, UsageAnswer } from '../../serve/contract/contract.ts';
import type { ReconcileFullAnswer } from '../../serve/contract/ledger.ts';
import type { Cli } from '../context.ts';
import { type Column, formatOf, printRows, shortMoney } from '../print.ts';
import { addScheduledReportCommands } from './scheduled-reports.ts';
import { addUsageCommands } from './usage.ts';

type CostRow = CostAnswer['rows'][number];
type UsageRow = UsageAnswer['rows'][number];

/** usage, reports, cost, reconcile: questions that change nothing. */
export function addReportCommands(program: Command, cli: Cli): void {
  const usage = program.command('usage').description('how many calls, by whom, growing or not');
  usage
    .command('count', { isDefault: true })
    .description('count calls')
    .requiredOption('--from <time>', 'a day or an instant, UTC')
    .requiredOption('--to <time>', 'not included')
    .option(
      '--by <dimensions>',
      'tenant, endpoint, consumer, kind, class, region, version, flags, and one of day, hour, minute',
      '',
    )
    .option('--tenant <name>', 'only calls of this tenant')
    .option('--endpoint <name>', 'only calls of this endpoint')
    .option('--consumer <name>', 'only calls of this consumer')
    .option('--kind <kind>', 'only calls of this kind, such as graphql')
    .option('--class <class>', 'only calls that ended so: success, client_error, server_error or unknown')
    .option('--region <name>', 'only calls in this region')
    .option('--service-version <name>', 'only calls to this version of a service')
    .option('--flags <flags>', 'only calls with this feature flag, as key=variant')
    .option('--window <window>', 'day, hour or minute')
    .option('--tz <zone>', 'IANA zone in which days and hours begin', 'UTC')
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action(async (flags: UsageFlags) => {
      const answer = await cli.ask<UsageAnswer>(
        'GET',
        `/api/v1/usage?${query({ ...flags, version: flags.serviceVersion }, ['from', 'to', 'by', 'window', 'tz', ...dimensions])}`,
      );
      cli.print(usageText(answer, formatOf(flags)));
    });
  addUsageCommands(usage, cli);
  addScheduledReportCommands(program, cli);
  program
    .command('cost')
    .description('what calls cost, beside what the bill says')
    .requiredOption('--from <time>', 'a day or an instant, UTC')
    .requiredOption('--to <time>', 'not included')
    .option('--by <dimensions>', 'tenant, endpoint, pool, service, day', 'tenant,endpoint')
    .option('--tz <zone>', 'IANA zone in which days begin', 'UTC')
    .option('--as-of <time>', 'money as it was known then')
    .option('--currency <code>', 'where bills have several')
    .option('--convert-to <code>', 'show amounts in this currency, by CurrencyRates')
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action(async (flags: CostFlags) => {
      const answer = await cli.ask<CostAnswer>(
        'GET',
        `/api/v1/cost?${query(flags, ['from', 'to', 'by', 'currency', 'tz', 'asOf', 'convertTo'])}`,
      );
      cli.print(costText(answer, formatOf(flags)));
      if (/[1-9]/.test(answer.identity.residual))
        cli.warn('The residual is not zero: run taximeter allocate for this range.');
    });
  program
    .command('reconcile')
    .description('hold the ledger against the bills of one month')
    .requiredOption('--period <month>', 'such as 2022-08')
    .option('--by <dimensions>', 'invoice, account, service, day: the charges in parts', '')
    .option('--as-of <time>', 'as it was known then')
    .option('--convert-to <code>', 'show amounts in this currency, by CurrencyRates')
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action(async (flags: ReconcileFlags) => {
      const asked = query(flags, ['period', 'by', 'asOf', 'convertTo']);
      const answer = await cli.ask<ReconcileFullAnswer>('GET', `/api/v1/reconcile?${asked}`);
      cli.print(reconcileText(answer, formatOf(flags)));
      if (/[1-9]/.test(answer.residual)) cli.failed();
    });
}

const dimensions = ['tenant', 'endpoint', 'consumer', 'kind', 'class', 'region', 'version', 'flags'] as const;

interface ReconcileFlags {
  period: string;
  by: string;
  asOf?: string;
  convertTo?: string;
  json?: boolean;
  csv?: boolean;
}

interface UsageFlags extends Partial<Record<(typeof dimensions)[number], string>> {
  from: string;
  to: string;
  by: string;
  window?: string;
  /** `--version` is the program's own. */
  serviceVersion?: string;
  tz: string;
  json?: boolean;
  csv?: boolean;
}

interface CostFlags {
  from: string;
  to: string;
  by: string;
  tz: string;
  asOf?: string;
  currency?: string;
  convertTo?: string;
  json?: boolean;
  csv?: boolean;
}

export function query<Flags extends object>(flags: Flags, names: readonly (keyof Flags & string)[]): string {
  const given = names.flatMap((name) =>
    flags[name] === undefined || flags[name] === '' ? [] : [[name, String(flags[name])] as const],
  );
  return new URLSearchParams(Object.fromEntries(given)).toString();
}

function usageText(answer: UsageAnswer, format: ReturnType<typeof formatOf>): string {
  if (format === 'json') return JSON.stringify(answer, null, 2);
  const named = (['start', ...dimensions] as const).filter((name) =>
    answer.rows.some((row) => row[name] !== undefined),
  );
  const columns: Column<UsageRow>[] = [
    ...named.map((name) => ({ head: name, value: (row: UsageRow) => row[name] })),
    { head: 'calls', value: (row) => row.calls, align: 'right' },
    { head: 'errors', value: (row) => row.errors, align: 'right' },
    { head: 'bytes_in', value: (row) => row.bytesIn, align: 'right' },
    { head: 'bytes_out', value: (row) => row.bytesOut, align: 'right' },
    ...(answer.rows.some(({ records }) => records !== null) || format === 'csv'
      ? [{ head: 'records', value: (row: UsageRow) => row.records, align: 'right' as const }]
      : []),
    { head: 'average_ms', value: (row) => row.averageMs?.toFixed(3), align: 'right' },
  ];
  const table = printRows(format, columns, answer.rows);
  const late = answer.late ? `; ${answer.late} came after their month was closed` : '';
  return format === 'csv' ? table : `${table}\n${answer.calls} calls${late}; newest ${answer.newestCall ?? 'none'}`;
}

function costText(answer: CostAnswer, format: ReturnType<typeof formatOf>): string {
  if (format === 'json') return JSON.stringify(answer, null, 2);
  const exact = format === 'csv';
  const money = (amount: string | null, digits?: number) => (exact ? amount : shortMoney(amount, digits));
  const named = (['day', 'tenant', 'endpoint', 'pool', 'service'] as const).filter((name) =>
    answer.rows.some((row) => row[name] !== undefined),
  );
  const columns: Column<CostRow>[] = [
    ...named.map((name) => ({ head: name, value: (row: CostRow) => row[name] })),
    { head: 'calls', value: (row) => row.calls, align: 'right' },
    { head: 'direct', value: (row) => money(row.direct), align: 'right' },
    { head: 'indirect', value: (row) => money(row.indirect), align: 'right' },
    { head: 'full', value: (row) => money(row.full), align: 'right' },
    { head: 'direct/call', value: (row) => money(row.directPerCall, 9), align: 'right' },
    { head: 'full/call', value: (row) => money(row.fullPerCall, 9), align: 'right' },
    { head: 'state', value: (row) => row.state },
    ...(answer.rated
      ? [{ head: 'rated', value: (row: CostRow) => money(row.rated?.full ?? null), align: 'right' as const }]
      : []),
  ];
  const table = printRows(format, columns, answer.rows);
  const late = answer.late ? [`${answer.late} calls came after their month was closed; they have no part in it.`] : [];
  return exact ? table : [table, identityText(answer), ...ratedText(answer), ...late].join('\n');
}

function conversionLine({ from, to, rate, firstDay, lastDay, sources }: NonNullable<CostAnswer['conversion']>): string {
  return `1 ${from} = ${rate} ${to}, mean of ${firstDay} to ${lastDay}: ${sources.join('; ')}`;
}

function identityText({ identity, currency, conversion }: CostAnswer): string {
  const line = (name: string, amount: string) => `  ${name.padEnd(14)}${amount.padStart(32)} ${currency}`;
  return [
    'tenants + idle + unattributed + out_of_scope = bill',
    line('tenants', identity.tenants),
    line('idle', identity.idle),
    line('unattributed', identity.unattributed),
    line('out_of_scope', identity.out_of_scope),
    line('bill', identity.bill),
    line('residual', identity.residual),
    ...(conversion ? [conversionLine(conversion)] : []),
  ].join('\n');
}

/** What stands beside the ledger: live work at rates, and how good these were. */
function ratedText({ rated, states, currency }: CostAnswer): string[] {
  if (!rated) return [];
  const { band } = rated.calibration;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const origin = rated.origin === 'derived' ? `unit costs of ${rated.card}` : rated.card;
  const good = band
    ? `in closed months rates were ${percent(band.low)} to ${percent(band.high)} off`
    : 'no closed month says how good they are';
  const calls = states ? `, ${states.rated.calls} calls` : '';
  return [
    `No bill yet from ${rated.from} to ${rated.to}${calls}: ${shortMoney(rated.full)} ${currency} at rates (${origin}); ${good}.`,
  ];
}

function reconcileText(answer: ReconcileFullAnswer, format: ReturnType<typeof formatOf>): string {
  if (format === 'json') return JSON.stringify(answer, null, 2);
  const isByPart = answer.parts.length > 0;
  const table = isByPart ? partsTable(answer, format) : linesTable(answer, format);
  if (format === 'csv') return table;
  const late = answer.lateCalls
    ? [`${answer.lateCalls} calls came after the month was closed; they count in usage and have no part in it.`]
    : [];
  const stalled = answer.exports.filter(({ isStalled }) => isStalled);
  return [
    table,
    ...late,
    ...answer.doubles.map(
      ({ first, second, rows, billed, currency }) =>
        `${first} and ${second} both have ${rows} charges of the same time, resource and amount, ${billed} ${currency}: one bill twice?`,
    ),
    ...stalled.map(
      ({ source, account, newestCharge, ageHours }) =>
        `${source} ${account}: the newest charge ends ${newestCharge}, ${ageHours} hours ago: is its export still coming?`,
    ),
    ...unscopedLines(answer),
  ].join('\n');
}

function unscopedLines({ outOfScope }: ReconcileFullAnswer): string[] {
  if (outOfScope.length === 0) return [];
  const lines = outOfScope.map(
    ({ modelLine, charges, currency }) => `    ${modelLine}   # ${shortMoney(charges)} ${currency}`,
  );
  return ['No pool takes these services; under pools of the cost model they would be:', ...lines];
}

function linesTable(answer: ReconcileFullAnswer, format: 'csv' | 'table'): string {
  const columns: Column<ReconcileFullAnswer['lines'][number]>[] = [
    { head: 'source', value: (line) => line.source },
    { head: 'account', value: (line) => line.account },
    { head: 'currency', value: (line) => line.currency },
    { head: 'state', value: (line) => line.state },
    { head: 'billed', value: (line) => line.billed, align: 'right' },
    { head: 'amortisation', value: (line) => line.amortisation, align: 'right' },
    { head: 'restated', value: (line) => line.restated, align: 'right' },
    { head: 'charges', value: (line) => line.charges, align: 'right' },
    { head: 'posted', value: (line) => line.posted, align: 'right' },
    { head: 'residual', value: (line) => line.residual, align: 'right' },
    { head: 'findings', value: (line) => line.findings.join('; ') },
  ];
  const table = printRows(format, columns, answer.lines);
  return format === 'csv' ? table : [table, ...(answer.conversions ?? []).map(conversionLine)].join('\n');
}

function partsTable({ parts }: ReconcileFullAnswer, format: 'csv' | 'table'): string {
  const named = (['invoice', 'account', 'service', 'day'] as const).filter((name) => parts[0]?.[name] !== undefined);
  const columns: Column<ReconcileFullAnswer['parts'][number]>[] = [
    ...named.map((name) => ({ head: name, value: (part: ReconcileFullAnswer['parts'][number]) => part[name] })),
    { head: 'currency', value: (part) => part.currency },
    { head: 'rows', value: (part) => part.rows, align: 'right' },
    { head: 'billed', value: (part) => part.billed, align: 'right' },
    { head: 'charges', value: (part) => part.charges, align: 'right' },
    { head: 'matched', value: (part) => part.matched, align: 'right' },
    { head: 'unmatched', value: (part) => part.unmatched, align: 'right' },
    { head: 'out_of_scope', value: (part) => part.outOfScope, align: 'right' },
  ];
  return printRows(format, columns, parts);
}
