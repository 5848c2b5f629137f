import { isIP } from 'node:net';
import { z } from 'zod';
import {
  type EventPrivacy,
  eventPrivacies,
  LEAST_DAYS,
  REQUEST_SLOTS,
  readPeriod,
  requestIdKeys,
  type WeightFallback,
  weightFallbacks,
} from '../collect/front.ts';
import { fail } from '../model/index.ts';
import { type LimitHeaderKind, limitHeaderKinds } from '../serve/front.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const portOrOff = z.preprocess((value) => (value === 'off' ? 0 : value), port);
const bytes = z.coerce.number().int().min(1024);
const url = (schemes: string) =>
  z
    .string()
    .regex(new RegExp(`^(${schemes})://`), `must begin with ${schemes}://`)
    .optional();

const isNetwork = (text: string) => {
  const [address = '', bits = ''] = text.trim().split('/');
  const most = isIP(address) === 4 ? 32 : 128;
  return isIP(address) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
};
const networks = z
  .string()
  .refine((text) => text === '' || text.split(',').every(isNetwork), 'must be networks such as 10.0.0.0/8,fd00::/8');

function isMailServer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search } = new URL(text);
  return (protocol === 'smtp:' || protocol === 'smtps:') && hostname !== '' && /^\/?$/.test(pathname) && search === '';
}

/** Reads `name=whsec_...,name=whsec_...`. Gives null where it is not that. */
export function readSecrets(text: string): ReadonlyMap<string, string> | null {
  const secrets = new Map<string, string>();
  for (const part of text.split(',').filter((each) => each.trim() !== '')) {
    const [, name, secret, key] = /^\s*([\w.-]{1,64})=(whsec_([A-Za-z0-9+/]+={0,2}))\s*$/.exec(part) ?? [];
    const bytes = Buffer.from(key ?? '', 'base64').length;
    if (name === undefined || secret === undefined || bytes < 24 || bytes > 64 || secrets.has(name)) return null;
    secrets.set(name, secret);
  }
  return secrets;
}

const period = z
  .string()
  .refine((text) => readPeriod(text) !== undefined, `must be forever or at least ${LEAST_DAYS}d`);

/** Every setting there is. A name in the environment is TAXIMETER_ and the name here in capitals. */
const settings = z.object({
  TAXIMETER_DATA: z.string().min(1).default('./taximeter-data'),
  TAXIMETER_HOST: z.string().min(1).default('127.0.0.1'),
  TAXIMETER_PORT: port.default(4700),
  TAXIMETER_OTLP_PORT: port.default(4318),
  TAXIMETER_OTLP_GRPC_PORT: portOrOff.default(4317),
  TAXIMETER_ENVOY_PORT: portOrOff.default(4701),
  TAXIMETER_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  TAXIMETER_CLICKHOUSE_URL: url('https?'),
  TAXIMETER_POSTGRES_URL: url('postgres(?:ql)?'),
  TAXIMETER_REDIS_URL: z
    .string()
    .regex(
      /^rediss?:\/\/[^,]+(,rediss?:\/\/[^,]+)*$/,
      'must begin with redis:// or rediss://; nodes of a cluster with commas',
    )
    .optional(),
  TAXIMETER_BODY_BYTES: bytes.default(64 << 20),
  TAXIMETER_UPLOAD_BYTES: bytes.default(8 * 2 ** 30),
  TAXIMETER_JOURNAL_BYTES: bytes.default(4 * 2 ** 30),
  TAXIMETER_LOAD_EVERY_MS: z.coerce.number().int().min(50).max(86_400_000).default(1_000),
  TAXIMETER_ALLOCATE_EVERY_MS: z.coerce.number().int().min(0).max(86_400_000).default(60_000),
  TAXIMETER_WEIGHT_FALLBACKS: z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(weightFallbacks)))
    .optional(),
  TAXIMETER_REQUEST_ID_ATTRIBUTES: z
    .string()
    .default(requestIdKeys.join(','))
    .transform((text) => (text === 'off' ? [] : text.split(',').map((name) => name.trim())))
    .pipe(z.array(z.string().min(1).max(256)).max(REQUEST_SLOTS)),
  TAXIMETER_SYSLOG_PORT: port.optional(),
  TAXIMETER_SYSLOG_ALLOW: networks.default(''),
  TAXIMETER_SYSLOG_FORMAT: z.string().min(1).max(2_000).default('auto'),
  TAXIMETER_SYSLOG_TENANT_FROM: z.string().max(300).default('none'),
  TAXIMETER_QUARANTINE_TEXT: z.enum(['0', '1']).default('0'),
  TAXIMETER_RETAIN_SPANS: period.default('90d'),
  TAXIMETER_RETAIN_ROLLUPS: period.default('forever'),
  TAXIMETER_RETAIN_SAMPLES: period.default('forever'),
  TAXIMETER_RETAIN_EVENTS: period.default('forever'),
  TAXIMETER_EVENT_PRIVACY: z.enum(eventPrivacies).default('safe'),
  TAXIMETER_LIMIT_HEADERS: z
    .string()
    .default('draft-11')
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(limitHeaderKinds))),
  TAXIMETER_LIMIT_KEYS: z.coerce.number().int().min(1_000).max(16_000_000).default(5_000_000),
  TAXIMETER_LIMIT_HELD: z.coerce.number().int().min(1_000).max(16_000_000).default(1_000_000),
  TAXIMETER_SMTP_URL: z
    .string()
    .refine(
      (text) => text === '' || isMailServer(text),
      'must be smtp://host or smtps://host, with user:password@ if need be',
    )
    .default(''),
  TAXIMETER_SMTP_FROM: z
    .string()
    .max(320)
    .refine((text) => text === '' || /^[^\r\n@]*@[^\r\n@]+$/.test(text), 'must be a mail address')
    .default(''),
  TAXIMETER_WEBHOOK_SECRETS: z
    .string()
    .refine((text) => readSecrets(text) !== null, 'must be name=whsec_... with commas; base64 of 24 to 64 bytes')
    .default(''),
  TAXIMETER_WEBHOOK_ALLOW: networks.default(''),
  TAXIMETER_LOG: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export interface Config {
  readonly folder: string;
  readonly host: string;
  readonly apiPort: number;
  readonly otlpPort: number;
  /** 0 is off. */
  readonly otlpGrpcPort: number;
  /** Of Envoy's gRPC services; 0 is off. */
  readonly envoyPort: number;
  readonly token: string;
  readonly clickhouseUrl: string | undefined;
  readonly postgresUrl: string | undefined;
  /** Several with commas are nodes of a cluster. */
  readonly redisUrl: string | undefined;
  readonly bodyBytes: number;
  readonly uploadBytes: number;
  readonly journalBytes: number;
  /** How long arrived data waits for more before it is loaded. */
  readonly loadEveryMs: number;
  /** How often open periods are shared out again where something changed; 0 is never. */
  readonly allocateEveryMs: number;
  /** How weights are read where a span brings no threshold. */
  readonly weightFallbacks: readonly WeightFallback[];
  /** Names of attributes that hold the id of a request. */
  readonly requestIdAttributes: readonly string[];
  readonly syslogPort: number | undefined;
  /** Who may send syslog from elsewhere than this machine, as `10.0.0.0/8`; commas between them. */
  readonly syslogAllow: string;
  readonly syslogFormat: string;
  readonly syslogTenantFrom: string;
  /** Whether the beginning of a refused line is kept: 1, or 0. */
  readonly quarantineText: string;
  /** How long raw spans, rollups, metric points and events are kept: `90d`, or `forever`. */
  readonly retainSpans: string;
  readonly retainRollups: string;
  readonly retainSamples: string;
  readonly retainEvents: string;
  /** What is kept of the texts of events. */
  readonly eventPrivacy: EventPrivacy;
  /** What answers say of limits in their header. */
  readonly limitHeaders: readonly LimitHeaderKind[];
  /** Counters in memory at most. */
  readonly limitKeys: number;
  /** Reservations in memory at most, with those that ended within the last ten minutes. */
  readonly limitHeld: number;
  /** Of the mail server, with the password; empty without one. */
  readonly smtpUrl: string;
  readonly smtpFrom: string;
  /** `name=whsec_...`, with commas. */
  readonly webhookSecrets: string;
  readonly webhookAllow: string;
  readonly logLevel: string;
}

/**
 * Reads the configuration, once, from the environment; the only place that does.
 *
 * Fails  CONFIG_INVALID with every problem, and for names that begin with TAXIMETER_ but mean nothing.
 */
export function readConfig(environment: Record<string, string | undefined>): Config {
  const ours = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => name.startsWith('TAXIMETER_') && value !== ''),
  );
  const known = new Set(Object.keys(settings.shape));
  const problems = Object.keys(ours)
    .filter((name) => !known.has(name))
    .map((name) => ({ message: `${name}: is no setting` }));
  const parsed = settings.safeParse(ours);
  if (!parsed.success)
    problems.push(...parsed.error.issues.map((issue) => ({ message: `${issue.path.join('.')}: ${issue.message}` })));
  if (problems.length > 0 || !parsed.success) throw fail('CONFIG_INVALID', {}, problems);
  const { data } = parsed;
  return {
    folder: data.TAXIMETER_DATA,
    host: data.TAXIMETER_HOST,
    apiPort: data.TAXIMETER_PORT,
    otlpPort: data.TAXIMETER_OTLP_PORT,
    otlpGrpcPort: data.TAXIMETER_OTLP_GRPC_PORT,
    envoyPort: data.TAXIMETER_ENVOY_PORT,
    token: data.TAXIMETER_TOKEN ?? '',
    clickhouseUrl: data.TAXIMETER_CLICKHOUSE_URL,
    postgresUrl: data.TAXIMETER_POSTGRES_URL,
    redisUrl: data.TAXIMETER_REDIS_URL,
    bodyBytes: data.TAXIMETER_BODY_BYTES,
    uploadBytes: data.TAXIMETER_UPLOAD_BYTES,
    journalBytes: data.TAXIMETER_JOURNAL_BYTES,
    loadEveryMs: data.TAXIMETER_LOAD_EVERY_MS,
    allocateEveryMs: data.TAXIMETER_ALLOCATE_EVERY_MS,
    weightFallbacks: data.TAXIMETER_WEIGHT_FALLBACKS ?? [],
    requestIdAttributes: data.TAXIMETER_REQUEST_ID_ATTRIBUTES,
    syslogPort: data.TAXIMETER_SYSLOG_PORT,
    syslogAllow: data.TAXIMETER_SYSLOG_ALLOW,
    syslogFormat: data.TAXIMETER_SYSLOG_FORMAT,
    syslogTenantFrom: data.TAXIMETER_SYSLOG_TENANT_FROM,
    quarantineText: data.TAXIMETER_QUARANTINE_TEXT,
    retainSpans: data.TAXIMETER_RETAIN_SPANS,
    retainRollups: data.TAXIMETER_RETAIN_ROLLUPS,
    retainSamples: data.TAXIMETER_RETAIN_SAMPLES,
    retainEvents: data.TAXIMETER_RETAIN_EVENTS,
    eventPrivacy: data.TAXIMETER_EVENT_PRIVACY,
    limitHeaders: data.TAXIMETER_LIMIT_HEADERS,
    limitKeys: data.TAXIMETER_LIMIT_KEYS,
    limitHeld: data.TAXIMETER_LIMIT_HELD,
    smtpUrl: data.TAXIMETER_SMTP_URL,
    smtpFrom: data.TAXIMETER_SMTP_FROM,
    webhookSecrets: data.TAXIMETER_WEBHOOK_SECRETS,
    webhookAllow: data.TAXIMETER_WEBHOOK_ALLOW,
    logLevel: data.TAXIMETER_LOG,
  };
}

/** Off loopback, listeners must know who asks. */
export function checkListeners(config: Config): void {
  const isLoopback = /^(127(\.\d{1,3}){3}|localhost|::1)$/.test(config.host);
  if (isLoopback) return;
  const outside = `TAXIMETER_HOST ${config.host} is reachable from outside`;
  const problems = [];
  if (config.token === '') problems.push({ message: `${outside}: set TAXIMETER_TOKEN, or listen on 127.0.0.1` });
  // Syslog has no place for a token.
  if (config.syslogPort !== undefined && config.syslogAllow === '')
    problems.push({ message: `${outside}: set TAXIMETER_SYSLOG_ALLOW to the networks that may send syslog` });
  if (problems.length > 0) throw fail('CONFIG_INVALID', {}, problems);
}
