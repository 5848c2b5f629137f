import { z } from 'zod';
import { type WeightFallback, weightFallbacks } from '../collect/index.ts';
import { fail } from '../model/index.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const bytes = z.coerce.number().int().min(1024);
const url = (schemes: string) =>
  z
    .string()
    .regex(new RegExp(`^(${schemes})://`), `must begin with ${schemes}://`)
    .optional();

/** Every setting there is. A name in the environment is TAXIMETER_ and the name here in capitals. */
const settings = z.object({
  TAXIMETER_DATA: z.string().min(1).default('./taximeter-data'),
  TAXIMETER_HOST: z.string().min(1).default('127.0.0.1'),
  TAXIMETER_PORT: port.default(4700),
  TAXIMETER_OTLP_PORT: port.default(4318),
  TAXIMETER_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  TAXIMETER_CLICKHOUSE_URL: url('https?'),
  TAXIMETER_POSTGRES_URL: url('postgres(?:ql)?'),
  TAXIMETER_BODY_BYTES: bytes.default(64 << 20),
  TAXIMETER_UPLOAD_BYTES: bytes.default(8 * 2 ** 30),
  TAXIMETER_JOURNAL_BYTES: bytes.default(4 * 2 ** 30),
  TAXIMETER_LOAD_EVERY_MS: z.coerce.number().int().min(50).max(86_400_000).default(1_000),
  TAXIMETER_WEIGHT_FALLBACKS: z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(weightFallbacks)))
    .optional(),
  TAXIMETER_LOG: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export interface Config {
  readonly folder: string;
  readonly host: string;
  readonly apiPort: number;
  readonly otlpPort: number;
  readonly token: string;
  readonly clickhouseUrl: string | undefined;
  readonly postgresUrl: string | undefined;
  readonly bodyBytes: number;
  readonly uploadBytes: number;
  readonly journalBytes: number;
  /** How long arrived data waits for more before it is loaded. */
  readonly loadEveryMs: number;
  /** How weights are read where a span brings no threshold. */
  readonly weightFallbacks: readonly WeightFallback[];
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
    token: data.TAXIMETER_TOKEN ?? '',
    clickhouseUrl: data.TAXIMETER_CLICKHOUSE_URL,
    postgresUrl: data.TAXIMETER_POSTGRES_URL,
    bodyBytes: data.TAXIMETER_BODY_BYTES,
    uploadBytes: data.TAXIMETER_UPLOAD_BYTES,
    journalBytes: data.TAXIMETER_JOURNAL_BYTES,
    loadEveryMs: data.TAXIMETER_LOAD_EVERY_MS,
    weightFallbacks: data.TAXIMETER_WEIGHT_FALLBACKS ?? [],
    logLevel: data.TAXIMETER_LOG,
  };
}

/** Off loopback, listeners must know who asks. */
export function checkListeners(config: Config): void {
  const isLoopback = /^(127(\.\d{1,3}){3}|localhost|::1)$/.test(config.host);
  if (isLoopback || config.token !== '') return;
  throw fail('CONFIG_INVALID', {}, [
    { message: `TAXIMETER_HOST ${config.host} is reachable from outside: set TAXIMETER_TOKEN, or listen on 127.0.0.1` },
  ]);
}
