// A program that measures its calls, to be killed: node --import tsx measured-child.ts FOLDER OTLP. Prints its port; /ready is not measured.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expressMiddleware, Taximeter } from '../../sdk/src/index.ts';

const [folder = '', otlpUrl = ''] = process.argv.slice(2);
const taximeter = new Taximeter({
  service: 'killed',
  otlpUrl,
  tenant: 'x-tenant',
  outbox: { folder, sendEveryMs: 50, backoff: { baseMs: 50, mostMs: 100 }, fileBytes: 4_000 },
});
const measured = expressMiddleware(taximeter);
const server = createServer((request, response) => {
  if (request.url !== '/ready') return measured(request, response, () => response.end('ok'));
  // What came before is in the outbox once a timer that was set after it has passed.
  setTimeout(() => response.end('ready'), 40);
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
