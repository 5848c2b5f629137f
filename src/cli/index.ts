export { type CliDeps, runCli } from './cli.ts';
export { type Config, readConfig } from './config.ts';
