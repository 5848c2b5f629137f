import type { Command } from 'commander';
import { checkListeners, readConfig } from '../config.ts';
import type { Cli } from '../context.ts';

const portFlags = [
  ['port', 'TAXIMETER_PORT'],
  ['otlpPort', 'TAXIMETER_OTLP_PORT'],
  ['otlpGrpcPort', 'TAXIMETER_OTLP_GRPC_PORT'],
  ['envoyPort', 'TAXIMETER_ENVOY_PORT'],
  ['syslogPort', 'TAXIMETER_SYSLOG_PORT'],
] as const;

/** serve: everything in one process, until it is told to stop. */
export function addServeCommand(program: Command, cli: Cli): void {
  program
    .command('serve')
    .description('receive, answer and show; everything in one process')
    .option('--port <port>', 'of the API and the dashboards')
    .option('--otlp-port <port>', 'of OTLP/HTTP')
    .option('--otlp-grpc-port <port>', 'of OTLP/gRPC; off for none')
    .option('--envoy-port <port>', 'of Envoy rate limits over gRPC; off for none')
    .option('--syslog-port <port>', 'of access logs as syslog, UDP and TCP')
    .action(async (flags: Record<(typeof portFlags)[number][0], string | undefined>) => {
      const environment = { ...cli.deps.environment };
      for (const [flag, setting] of portFlags) if (flags[flag] !== undefined) environment[setting] = flags[flag];
      const config = { ...cli.config(), ...portsOf(environment) };
      checkListeners(config);
      const { url, stop } = await cli.deps.serve(config);
      const listeners = [
        `${url} (dashboards and API)`,
        `http://${config.host}:${config.otlpPort} (OTLP/HTTP)`,
        ...(config.otlpGrpcPort === 0 ? [] : [`http://${config.host}:${config.otlpGrpcPort} (OTLP/gRPC)`]),
        ...(config.envoyPort === 0 ? [] : [`http://${config.host}:${config.envoyPort} (Envoy gRPC)`]),
        ...(config.syslogPort === undefined ? [] : [`${config.host}:${config.syslogPort} (syslog, UDP and TCP)`]),
      ];
      cli.print(`Taximeter listens on ${listeners.join(', ')}.`);
      await untilStopped();
      await stop();
    });
}

function portsOf(environment: Record<string, string | undefined>) {
  const { apiPort, otlpPort, otlpGrpcPort, envoyPort, syslogPort } = readConfig(environment);
  return { apiPort, otlpPort, otlpGrpcPort, envoyPort, syslogPort };
}

function untilStopped(): Promise<void> {
  return new Promise((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
}
