import { type Command, InvalidArgumentError } from 'commander';
import type { AuditAnswer, ModelAnswer, RatesAnswer, UnitAnswer } from '../../serve/contract/models.ts';
import type { Cli } from '../context.ts';
import { type Column, formatOf, printRows, shortMoney } from '../print.ts';
import { query } from './reports.ts';

/** model explain, audit: what figures are made by, and who said so. */
export function addModelCommands(program: Command, cli: Cli): void {
  program
    .command('model')
    .description('cost models')
    .command('explain')
    .description('print the cost model in force as a page to read')
    .option('--at <time>', 'the model of that day or instant; now without it')
    .option('--format <format>', 'text, markdown or html', 'text')
    .action(async (flags: { at?: string; format: string }) => {
      const answer = await cli.ask<ModelAnswer>('GET', `/api/v1/model?${query(flags, ['at', 'format'])}`);
      cli.print(answer.page.trimEnd());
    });
  program
    .command('unit')
    .description('what one call takes and costs')
    .requiredOption('--from <time>', 'a day or an instant, UTC')
    .requiredOption('--to <time>', 'not included')
    .option('--by <dimensions>', 'tenant, endpoint, service, region, version', 'endpoint')
    .option('--currency <code>', "the model's without it")
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action(async (flags: UnitFlags) => {
      const answer = await cli.ask<UnitAnswer>('GET', `/api/v1/unit?${query(flags, ['from', 'to', 'by', 'currency'])}`);
      cli.print(unitText(answer, formatOf(flags)));
    });
  program
    .command('rates')
    .description('unit prices by which calls are rated before there is a bill, and how good they were')
    .option('--at <time>', 'those of that day or instant; now without it')
    .option('--currency <code>', "the model's without it")
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action(async (flags: { at?: string; currency?: string; json?: boolean; csv?: boolean }) => {
      const answer = await cli.ask<RatesAnswer>('GET', `/api/v1/rates?${query(flags, ['at', 'currency'])}`);
      cli.print(ratesText(answer, formatOf(flags)));
    });
  program
    .command('audit')
    .description('who applied, imported and closed what, when and why')
    .option('--limit <entries>', 'the newest so many', wholeNumber, 1000)
    .option('--json', 'print JSON')
    .option('--csv', 'print CSV')
    .action(async (flags: { limit: number; json?: boolean; csv?: boolean }) => {
      const answer = await cli.ask<AuditAnswer>('GET', `/api/v1/audit?${query(flags, ['limit'])}`);
      const format = formatOf(flags);
      cli.print(
        format === 'json'
          ? JSON.stringify(answer, null, 2)
          : printRows(
              format,
              (['at', 'by', 'action', 'what', 'why'] as const).map((name) => ({
                head: name,
                value: (entry: AuditAnswer['entries'][number]) => entry[name],
              })),
              answer.entries,
            ),
      );
    });
}

interface UnitFlags {
  from: string;
  to: string;
  by: string;
  currency?: string;
  json?: boolean;
  csv?: boolean;
}

function unitText(answer: UnitAnswer, format: ReturnType<typeof formatOf>): string {
  if (format === 'json') return JSON.stringify(answer, null, 2);
  type Row = UnitAnswer['rows'][number];
  const money = (amount: string | null, digits = 9) => (format === 'csv' ? amount : shortMoney(amount, digits));
  const number = (head: string, value: (row: Row) => string | number | null): Column<Row> => ({
    head,
    value,
    align: 'right',
  });
  const named = (['tenant', 'endpoint', 'service', 'region', 'version'] as const).filter((name) =>
    answer.rows.some((row) => row[name] !== undefined),
  );
  const columns: Column<Row>[] = [
    ...named.map((name) => ({ head: name, value: (row: Row) => row[name] })),
    number('calls', (row) => row.calls),
    number('full/call', (row) => money(row.fullPerCall)),
    number('direct/call', (row) => money(row.directPerCall)),
    number('infrastructure/call', (row) => money(row.infrastructurePerCall)),
    number('fees/call', (row) => money(row.feesPerCall)),
    number('errors cost', (row) => money(row.errorCost, 6)),
    number('retries cost', (row) => money(row.retryCost, 6)),
    number('cpu ms', (row) => row.cpuMsPerCall),
    number('memory MB s', (row) => row.memoryMbSecondsPerCall),
    number('bytes out', (row) => row.bytesOutPerCall),
    number('db', (row) => row.dbCallsPerCall),
    number('log bytes', (row) => row.logBytesPerCall),
    number('ext', (row) => row.extCallsPerCall),
  ];
  return printRows(format, columns, answer.rows);
}

function ratesText(answer: RatesAnswer, format: ReturnType<typeof formatOf>): string {
  if (format === 'json') return JSON.stringify(answer, null, 2);
  const columns: Column<RatesAnswer['rates'][number]>[] = [
    { head: 'pool', value: (rate) => rate.pool },
    { head: 'kind', value: (rate) => rate.kind },
    { head: 'driver', value: (rate) => rate.driver },
    { head: 'services', value: (rate) => rate.services?.join(' ') },
    {
      head: `${answer.currency} per million`,
      value: (rate) => (format === 'csv' ? rate.pricePerMillion : shortMoney(rate.pricePerMillion, 9)),
      align: 'right',
    },
  ];
  const table = printRows(format, columns, answer.rates);
  if (format === 'csv') return table;
  const { card, calibration } = answer;
  const origin =
    card === null
      ? 'There are no rates: no RateCard, and no closed month.'
      : `Rates of ${card.id}${card.origin === 'derived' ? ', closed' : ''}.`;
  const months = calibration.months.map(
    ({ month, card: by, error }) => `  ${month} by ${by}: ${(error * 100).toFixed(2)} % off`,
  );
  return [table, origin, ...months].join('\n');
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return number;
}
