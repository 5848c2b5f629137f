// npm run demo: an example API with a week of traffic and its bill, in a data folder of its own.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, install } from './ready.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'bin', 'taximeter.js');
const folder = process.env.TAXIMETER_DATA ?? join(root, 'taximeter-data-demo');
const port = process.env.TAXIMETER_PORT ?? '4700';
const api = `http://127.0.0.1:${port}`;
const environment = { ...process.env, TAXIMETER_DATA: folder, TAXIMETER_LOG: process.env.TAXIMETER_LOG ?? 'warn' };

/** Runs a command against the running server; gives what it printed. */
function taximeter(args, output = 'inherit') {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [bin, ...args], { env: environment, stdio: ['ignore', output, 'inherit'] });
    let text = '';
    child.stdout?.on('data', (chunk) => (text += chunk));
    child.once('exit', (code) => (code === 0 ? done(text) : failed(new Error(`taximeter ${args[0]} ended with code ${code}`))));
  });
}

function startServer() {
  const child = spawn(process.execPath, [bin, 'serve'], { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((done) => child.once('exit', (code, signal) => done(code ?? (signal ? 1 : 0))));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill('SIGTERM'));
  return { child, ended };
}

/** Waits until the server we started answers; gives false when it ended instead. */
async function isReady(server) {
  let hasEnded = false;
  server.ended.then(() => (hasEnded = true));
  for (;;) {
    if (hasEnded) return false;
    const answer = await fetch(`${api}/readyz`).catch(() => null);
    if (answer?.ok) return !hasEnded;
    await new Promise((done) => setTimeout(done, 100));
  }
}

install();
build();
const server = startServer();
if (!(await isReady(server))) process.exit(await server.ended);
try {
  const status = JSON.parse(await (await fetch(`${api}/api/v1/status`)).text());
  if (status.isEmpty || status.charges === 0) {
    process.stderr.write('Making an example API: 12 tenants, 20 endpoints, a week of traffic and its bill ...\n');
    await taximeter(['simulate', '--send']);
  }
  const { months } = JSON.parse(await (await fetch(`${api}/api/v1/status`)).text());
  const [year, month] = months[0].split('-').map(Number);
  const to = new Date(Date.UTC(year, month)).toISOString().slice(0, 10);
  const range = ['--from', `${months[0]}-01`, '--to', to];
  await taximeter(['cost', ...range, '--by', 'endpoint']);
  await taximeter(['cost', ...range, '--by', 'tenant']);
  process.stdout.write(`\nThe dashboard: ${api}   (Ctrl-C ends it; the example stays in ${folder})\n`);
} catch (cause) {
  process.stderr.write(`${cause.message}\n`);
  server.child.kill('SIGTERM');
}
process.exit(await server.ended);
