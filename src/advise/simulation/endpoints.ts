import { ask, publish, query, type Step, vendor } from './steps.ts';

/** One endpoint of the simulated API and what a call to it costs. */
export interface Endpoint {
  readonly method: string;
  readonly route: string;
  /** How often it is called compared with the others. */
  readonly share: number;
  /** Mean body sizes. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** The gateway's own work. */
  readonly workUs: number;
  readonly steps: readonly Step[];
}

const seesCustomer = query('SELECT customers', 700);
const takesPayment = vendor('api.payments.example', '/v2/charges', 190_000);

/** The endpoint that one tenant's client retries without end on the day of the storm. */
export const STORM_ROUTE = '/v1/payments';

/** The endpoint that one tenant's script calls in a loop at night. */
export const LOOP_ROUTE = '/v1/search';

/** Ordered by importance: fewer endpoints are the first ones. */
export const endpoints: readonly Endpoint[] = [
  at(
    'GET /v1/products/{id}',
    190,
    0,
    3_400,
    900,
    ask('catalog', 'GetProduct', 1_400, query('GET product', 350, 'redis')),
  ),
  at(
    'GET /v1/search',
    120,
    0,
    14_800,
    1_100,
    ask('search', 'Search', 21_000, query('search products', 18_000, 'opensearch')),
  ),
  at(
    'POST /v1/payments',
    40,
    920,
    640,
    1_200,
    ask('billing', 'Charge', 5_200, query('SELECT invoices', 1_100), takesPayment, query('INSERT payments', 2_300)),
  ),
  at('GET /v1/orders/{id}', 110, 0, 5_100, 900, ask('orders', 'GetOrder', 2_100, query('SELECT orders', 1_500))),
  at(
    'POST /v1/orders',
    46,
    2_600,
    1_900,
    1_500,
    ask(
      'orders',
      'CreateOrder',
      9_400,
      ask('pricing', 'Quote', 3_100),
      query('INSERT orders', 4_200),
      publish('order-events', 14_000, query('UPDATE stock', 3_600), vendor('mail.sender.example', '/v3/send', 82_000)),
    ),
  ),
  at(
    'POST /v1/reports',
    7,
    540,
    260,
    1_300,
    ask(
      'reports',
      'RequestReport',
      6_000,
      query('INSERT reports', 2_000),
      publish('report-jobs', 610_000, query('SELECT order_facts', 480_000), query('INSERT report_files', 9_000)),
    ),
  ),
  at('GET /v1/orders', 70, 0, 28_000, 1_200, ask('orders', 'ListOrders', 6_800, query('SELECT orders', 9_500))),
  at('GET /v1/products', 84, 0, 36_000, 1_300, ask('catalog', 'ListProducts', 7_900, query('SELECT products', 6_200))),
  at('GET /v1/customers/{id}', 60, 0, 1_700, 800, ask('customers', 'GetCustomer', 1_300, seesCustomer)),
  at('POST /v1/quotes', 34, 1_500, 2_200, 1_100, ask('pricing', 'Quote', 4_600, query('GET price-list', 420, 'redis'))),
  at('GET /v1/invoices/{id}', 38, 0, 7_400, 900, ask('billing', 'GetInvoice', 2_700, query('SELECT invoices', 1_900))),
  at(
    'GET /v1/reports/{id}',
    16,
    0,
    240_000,
    1_500,
    ask('reports', 'GetReport', 31_000, query('SELECT report_files', 7_000)),
  ),
  at(
    'PATCH /v1/orders/{id}',
    22,
    820,
    1_800,
    1_100,
    ask('orders', 'UpdateOrder', 4_400, query('UPDATE orders', 3_900)),
  ),
  at(
    'POST /v1/products/{id}/description',
    6,
    1_200,
    2_400,
    1_100,
    ask(
      'catalog',
      'Describe',
      5_200,
      query('SELECT products', 1_400),
      vendor('models.llm.example', '/v1/messages', 1_450_000, { model: 'scribe-2', input: 1_800, output: 420 }),
    ),
  ),
  at(
    'POST /v1/shipments',
    18,
    1_400,
    1_100,
    1_200,
    ask(
      'orders',
      'Ship',
      5_600,
      vendor('rates.parcels.example', '/rates', 140_000),
      query('INSERT shipments', 2_900),
      publish('order-events', 8_000, query('UPDATE orders', 2_800)),
    ),
  ),
  at(
    'POST /v1/refunds',
    8,
    460,
    520,
    1_100,
    ask('billing', 'Refund', 6_100, takesPayment, query('INSERT refunds', 2_500)),
  ),
  at(
    'PUT /v1/products/{id}',
    14,
    4_800,
    900,
    1_100,
    ask(
      'catalog',
      'PutProduct',
      5_000,
      query('UPDATE products', 3_200),
      publish('reindex', 26_000, query('index product', 11_000, 'opensearch')),
    ),
  ),
  at('DELETE /v1/carts/{id}', 20, 0, 0, 700, ask('orders', 'DropCart', 900, query('DEL cart', 300, 'redis'))),
  at('GET /v1/exchange-rates', 26, 0, 2_900, 600, vendor('rates.money.example', '/latest', 46_000)),
  at(
    'POST /v1/imports',
    3,
    880_000,
    380,
    4_800,
    ask(
      'catalog',
      'Import',
      88_000,
      query('COPY staging', 64_000),
      publish('reindex', 190_000, query('index products', 120_000, 'opensearch')),
    ),
  ),
];

function at(
  name: string,
  share: number,
  requestBytes: number,
  responseBytes: number,
  workUs: number,
  ...steps: readonly Step[]
): Endpoint {
  const [method = '', route = ''] = name.split(' ');
  return { method, route, share, requestBytes, responseBytes, workUs, steps };
}

/** Any number of endpoints: beyond the written ones, the same again as later versions of the API. */
export function endpointsOf(count: number): Endpoint[] {
  return Array.from({ length: count }, (_, i) => {
    const endpoint = endpoints[i % endpoints.length]!;
    const version = Math.floor(i / endpoints.length) + 1;
    return { ...endpoint, route: endpoint.route.replace('/v1/', `/v${version}/`), share: endpoint.share / version };
  });
}
