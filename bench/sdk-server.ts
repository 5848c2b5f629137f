// Serves one route with Fastify, bare or measured: node --import tsx bench/sdk-server.ts bare|measured SINK OUTBOX. Ends when its input does.
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import type { Taximeter, TrackingMode } from '../sdk/src/index.ts';

const [mode = 'bare', sink = '', folder = '', tracking = 'auto'] = process.argv.slice(2);
// As users have it: what runs TypeScript as it is makes every function slower.
const built = new URL('../sdk/dist/index.js', import.meta.url).href;
const sdk = (await import(built)) as typeof import('../sdk/src/index.ts');
const app = fastify();
let taximeter: Taximeter | null = null;
if (mode === 'measured') {
  taximeter = new sdk.Taximeter({
    service: 'bench',
    otlpUrl: sink,
    tenant: 'x-tenant',
    measure: { tracking: tracking as TrackingMode },
    outbox: { folder },
    onProblem: (message) => console.error(message),
    onLoss: (loss) => console.error(loss),
  });
  await app.register(sdk.fastifyPlugin(taximeter));
}
app.get('/users/:id', async () => ({ hello: 'world' }));
await app.listen({ port: 0, host: '127.0.0.1' });
console.log((app.server.address() as AddressInfo).port);
process.stdin.resume();
process.stdin.once('end', async () => {
  await taximeter?.close();
  const { calls = 0, delivered = 0 } = taximeter?.counts ?? {};
  console.log(JSON.stringify({ spans: calls, delivered }));
  process.exit(0);
});
