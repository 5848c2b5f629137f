// Serves one route with Fastify, bare or measured: node bench/sdk-server.js bare|measured SINK OUTBOX. Ends when its input does.
// Plain JavaScript on the built package, as users have it: what runs TypeScript as it is makes every function slower.
import fastify from 'fastify';
import { fastifyPlugin, Taximeter } from '../sdk/dist/index.js';

const [mode, otlpUrl, folder] = process.argv.slice(2);
const app = fastify();
const taximeter =
  mode === 'bare'
    ? null
    : new Taximeter({
        service: 'bench',
        otlpUrl,
        tenant: 'x-tenant',
        outbox: { folder },
        onProblem: (message) => console.error(message),
        onLoss: (loss) => console.error(loss),
      });
if (taximeter !== null) await app.register(fastifyPlugin(taximeter));
app.get('/users/:id', async () => ({ hello: 'world' }));
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(app.server.address().port);
process.stdin.resume();
process.stdin.once('end', async () => {
  await taximeter?.close();
  const { calls = 0, delivered = 0 } = taximeter?.counts ?? {};
  console.log(JSON.stringify({ spans: calls, delivered }));
  process.exit(0);
});
