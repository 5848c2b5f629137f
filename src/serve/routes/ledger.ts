import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  allocatedCharges,
  allocatedColumns,
  type ChargebackLine,
  chargeback,
  exportLedger,
  type Statement,
  statementOf,
} from '../../ledger/index.ts';
import { csvLine, fail, parseMonth } from '../../model/index.ts';
import { chargebackAnswer, statementAnswer } from '../contract/ledger.ts';
import type { House } from '../house.ts';
import { statementPage } from '../statement-page.ts';
import { addPlain, answers } from './answers.ts';

/** Rows of CSV go out in pieces of about this many. */
const LINES_AT_ONCE = 1_000;

const period = z.string().openapi({ example: '2022-08' });
const text = (description: string, type: string) => ({
  ...answers(z.string()),
  200: { description, content: { [type]: { schema: z.string() } } },
});

const ledgerRoute = createRoute({
  method: 'get',
  path: '/api/v1/ledger',
  summary: 'The books of a month as lines of JSON, to be checked without Taximeter',
  request: { query: z.object({ period }) },
  responses: text('A head, the blocks of the chain with their postings and shares, an end', 'application/x-ndjson'),
});

const allocatedRoute = createRoute({
  method: 'get',
  path: '/api/v1/allocated-charges',
  summary: 'The charges of a month split over tenants, as FOCUS 1.3 split cost allocation',
  request: { query: z.object({ period, by: z.enum(['tenant', 'endpoint']).default('tenant') }) },
  responses: text('CSV with the columns of FOCUS', 'text/csv'),
});

const chargebackQuery = z.object({
  period,
  view: z.enum(['chargeback', 'showback']).default('chargeback'),
  by: z.enum(['tenant', 'endpoint']).default('tenant'),
  format: z.enum(['json', 'csv']).default('json'),
});

const chargebackRoute = createRoute({
  method: 'get',
  path: '/api/v1/chargeback',
  summary: 'What tenants owe for a month, or the whole bill with what nobody owes',
  request: { query: chargebackQuery },
  responses: answers(chargebackAnswer),
});

const statementQuery = z.object({
  period,
  tenant: z.string().min(1).max(500),
  format: z.enum(['json', 'csv', 'html']).default('json'),
});

const statementRoute = createRoute({
  method: 'get',
  path: '/api/v1/statement',
  summary: 'What one tenant owes for a month, with what it did for it',
  request: { query: statementQuery },
  responses: answers(statementAnswer),
});

/** What leaves the ledger: its books, and what is owed. */
export function addLedger(app: OpenAPIHono, house: House): void {
  addPlain(app, ledgerRoute, async (context) => {
    const month = parseMonth(asked(context, z.object({ period })).period);
    return streamed(
      exportLedger(house.store, month, house.now()),
      'application/x-ndjson',
      `ledger-${month.month}.jsonl`,
    );
  });
  addPlain(app, allocatedRoute, async (context) => {
    const query = asked(context, allocatedRoute.request.query);
    const month = parseMonth(query.period);
    const rows = allocatedCharges(house.store, month, query.by === 'endpoint');
    return streamed(csvOf(allocatedColumns, rows), 'text/csv; charset=utf-8', `allocated-${month.month}.csv`);
  });
  addPlain(app, chargebackRoute, async (context) => {
    const { view, by, format, ...query } = asked(context, chargebackQuery);
    const month = parseMonth(query.period);
    const answer = await chargeback(house.store, month, { view, byEndpoint: by === 'endpoint' });
    if (format === 'json') return context.json(answer);
    return streamed(csvOf(lineColumns, answer.lines), 'text/csv; charset=utf-8', `${view}-${month.month}.csv`);
  });
  addPlain(app, statementRoute, async (context) => {
    const { tenant, format, ...query } = asked(context, statementQuery);
    const statement = await statementOf(house.store, parseMonth(query.period), tenant, house.now());
    return statementIn(format, statement, context);
  });
}

const lineColumns = [
  'ledger',
  'tenant',
  'source',
  'account',
  'currency',
  'pool',
  'kind',
  'endpoint',
  'amount',
  'corrections',
  'state',
] as const;

function statementIn(
  format: 'json' | 'csv' | 'html',
  statement: Statement,
  context: Context,
): Response | Promise<Response> {
  if (format === 'json') return context.json(statement);
  if (format === 'csv')
    return streamed(
      csvOf(lineColumns, statement.lines as readonly ChargebackLine[]),
      'text/csv; charset=utf-8',
      'statement.csv',
    );
  // What tenants are called is what senders say: no script, no style and no picture from anywhere.
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  return context.body(statementPage(statement), 200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy,
  });
}

function asked<Schema extends z.ZodType>(context: Context, schema: Schema): z.infer<Schema> {
  const result = schema.safeParse(context.req.query());
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => ({ message: `${issue.path.join('.')}: ${issue.message}` }));
  throw fail('PARAMETER_INVALID', {}, problems);
}

async function* csvOf<Column extends string>(
  columns: readonly Column[],
  rows: Iterable<Readonly<Record<Column, string>>> | AsyncIterable<Readonly<Record<Column, string>>>,
): AsyncGenerator<string> {
  let lines = [csvLine(columns)];
  for await (const row of rows) {
    lines.push(csvLine(columns.map((column) => row[column])));
    if (lines.length >= LINES_AT_ONCE) {
      yield `${lines.join('\r\n')}\r\n`;
      lines = [];
    }
  }
  yield lines.length === 0 ? '' : `${lines.join('\r\n')}\r\n`;
}

/** What goes wrong before the first piece is answered as a failure; later the answer breaks off. */
async function streamed(pieces: AsyncGenerator<string>, type: string, name: string): Promise<Response> {
  const first = await pieces.next();
  const bytes = async function* () {
    const encoder = new TextEncoder();
    if (!first.done) yield encoder.encode(first.value);
    for await (const piece of pieces) yield encoder.encode(piece);
  };
  const headers = { 'content-type': type, 'content-disposition': `attachment; filename="${name}"` };
  return new Response(ReadableStream.from(bytes()), { headers });
}
