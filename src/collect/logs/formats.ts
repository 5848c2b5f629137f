import { apiGatewayJson } from './aws-apigateway-json.ts';
import { cloudfront } from './aws-cloudfront.ts';
import { alb, elbClassic } from './aws-load-balancer.ts';
import { s3 } from './aws-s3.ts';
import { caddyJson } from './caddy-json.ts';
import { apacheD, combined, common, nginxIngress, nginxMain, traefikClf, vhost } from './combined.ts';
import { envoy } from './envoy.ts';
import { envoyJson } from './envoy-json.ts';
import { haproxyHttp } from './haproxy.ts';
import { kongJson } from './kong-json.ts';
import type { LogFormat } from './log-line.ts';
import { nginxJson } from './nginx-json.ts';
import { nginxProxyManager, npmplus } from './nginx-proxy-manager.ts';
import { patternFormat } from './pattern.ts';
import { salesforceElf } from './salesforce-elf.ts';
import { squid } from './squid.ts';
import { traefikJson } from './traefik-json.ts';

/** Every format with a name of its own. Those that only their own lines fit come first, those that take most lines last. */
export const logFormats: readonly LogFormat[] = [
  kongJson,
  caddyJson,
  traefikJson,
  envoyJson,
  apiGatewayJson,
  nginxJson,
  salesforceElf,
  alb,
  elbClassic,
  cloudfront,
  s3,
  haproxyHttp,
  envoy,
  nginxProxyManager,
  npmplus,
  squid,
  nginxIngress,
  traefikClf,
  nginxMain,
  vhost,
  apacheD,
  common,
  combined,
];

const PATTERN = 'pattern:';

/** Every name that `--format` takes for access logs, sorted; `pattern:` is followed by the pattern. */
export const logFormatNames: readonly string[] = [
  ...logFormats.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
  PATTERN,
].sort();

const byName = new Map(logFormats.flatMap((each) => [each.name, ...(each.aliases ?? [])].map((name) => [name, each])));

/**
 * Finds a format by what `--format` says.
 *
 * Takes  name: of a format, or `pattern:` and the text of nginx's log_format or Apache's LogFormat.
 * Gives  null when there is none of that name.
 * Fails  FORMAT_UNKNOWN, with its problems, for a pattern that cannot be followed.
 */
export function findLogFormat(name: string): LogFormat | null {
  return name.startsWith(PATTERN) ? patternFormat(name.slice(PATTERN.length)) : (byName.get(name) ?? null);
}
