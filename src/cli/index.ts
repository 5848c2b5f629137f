export { runCli } from './cli.ts';
export { type Config, readConfig, readSecrets } from './config.ts';
export type { CliDeps } from './context.ts';
