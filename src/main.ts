import { runCli } from './cli/index.ts';
import { version } from './main/package.ts';

// Whoever reads our output may stop reading: `taximeter parse ... | head`.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => process.exit(cause.code === 'EPIPE' ? 0 : 1));

const exitCode = await runCli(process.argv.slice(2), {
  version,
  environment: process.env,
  // The rooms with their engines take longer to load than most commands to run, so only those that open them do.
  openLocally: async (config) => (await import('./main/open-locally.ts')).openLocally(config),
  serve: async (config) => (await import('./main/serve.ts')).serve(config),
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});
// The engine keeps threads; what was printed must be out before they are ended.
process.stdout.write('', () => process.exit(exitCode));
