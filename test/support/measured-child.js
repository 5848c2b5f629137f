// A program that measures its calls, on the built package as users have it: node measured-child.js OPTIONS, a JSON text. Prints its port.
// /ready, /close, /counts and what ends it are not measured themselves.
import { createServer } from 'node:http';
import { expressMiddleware, Taximeter } from '../../sdk/dist/index.js';

const [losses, problems] = [[], []];
let threads = 0;
const { endsThread = false, ...options } = JSON.parse(process.argv[2]);
process.on('worker', (worker) => {
  threads += 1;
  if (endsThread) void worker.terminate();
});
const taximeter = new Taximeter({
  service: 'killed',
  tenant: 'x-tenant',
  ...options,
  onLoss: (loss) => losses.push(loss),
  onProblem: (problem) => problems.push(problem),
});
const measured = expressMiddleware(taximeter);
const asked = {
  // What came before has ended once a timer that was set after it has passed.
  '/ready': (_, response) => setTimeout(() => taximeter.written().then(() => response.end('ready')), 40),
  '/counts': (_, response) => response.end(JSON.stringify({ ...taximeter.counts, losses, problems, threads })),
  '/close': async (_, response) => {
    await taximeter.close(10_000);
    response.end(JSON.stringify({ ...taximeter.counts, losses, problems, threads }));
  },
};
/** How the program ends in the very turn in which a call ends. */
const ends = {
  '/exit': () => process.exit(0),
  '/throw': () => {
    throw new Error('nobody catches this');
  },
};
const server = createServer((request, response) => {
  if (asked[request.url] !== undefined) return void asked[request.url](request, response);
  measured(request, response, () => {
    if (ends[request.url] !== undefined) response.once('close', ends[request.url]);
    response.end('ok');
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
