import type { Command } from 'commander';
import { checkListeners, readConfig } from '../config.ts';
import type { Cli } from '../context.ts';

/** serve: everything in one process, until it is told to stop. */
export function addServeCommand(program: Command, cli: Cli): void {
  program
    .command('serve')
    .description('receive, answer and show; everything in one process')
    .option('--port <port>', 'of the API and the dashboards')
    .option('--otlp-port <port>', 'of OTLP/HTTP')
    .option('--syslog-port <port>', 'of access logs as syslog, UDP and TCP')
    .action(async (flags: { port?: string; otlpPort?: string; syslogPort?: string }) => {
      const environment = { ...cli.deps.environment };
      if (flags.port !== undefined) environment.TAXIMETER_PORT = flags.port;
      if (flags.otlpPort !== undefined) environment.TAXIMETER_OTLP_PORT = flags.otlpPort;
      if (flags.syslogPort !== undefined) environment.TAXIMETER_SYSLOG_PORT = flags.syslogPort;
      const config = { ...cli.config(), ...portsOf(environment) };
      checkListeners(config);
      const { url, stop } = await cli.deps.serve(config);
      const syslog =
        config.syslogPort === undefined ? '' : ` Syslog: ${config.host}:${config.syslogPort} (UDP and TCP).`;
      cli.print(
        `Taximeter listens on ${url} (dashboards and API) and http://${config.host}:${config.otlpPort} (OTLP/HTTP).${syslog}`,
      );
      await untilStopped();
      await stop();
    });
}

function portsOf(environment: Record<string, string | undefined>) {
  const { apiPort, otlpPort, syslogPort } = readConfig(environment);
  return { apiPort, otlpPort, syslogPort };
}

function untilStopped(): Promise<void> {
  return new Promise((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
}
