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
    .option('--otlp-grpc-port <port>', 'of OTLP/gRPC; off for none')
    .action(async (flags: { port?: string; otlpPort?: string; otlpGrpcPort?: string }) => {
      const environment = { ...cli.deps.environment };
      if (flags.port !== undefined) environment.TAXIMETER_PORT = flags.port;
      if (flags.otlpPort !== undefined) environment.TAXIMETER_OTLP_PORT = flags.otlpPort;
      if (flags.otlpGrpcPort !== undefined) environment.TAXIMETER_OTLP_GRPC_PORT = flags.otlpGrpcPort;
      const config = { ...cli.config(), ...portsOf(environment) };
      checkListeners(config);
      const { url, stop } = await cli.deps.serve(config);
      const grpc = config.otlpGrpcPort === 0 ? '' : `, http://${config.host}:${config.otlpGrpcPort} (OTLP/gRPC)`;
      const otlp = `http://${config.host}:${config.otlpPort} (OTLP/HTTP)`;
      cli.print(`Taximeter listens on ${url} (dashboards and API), ${otlp}${grpc}.`);
      await untilStopped();
      await stop();
    });
}

function portsOf(environment: Record<string, string | undefined>) {
  const { apiPort, otlpPort, otlpGrpcPort } = readConfig(environment);
  return { apiPort, otlpPort, otlpGrpcPort };
}

function untilStopped(): Promise<void> {
  return new Promise((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
}
