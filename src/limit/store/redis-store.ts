import { createHash } from 'node:crypto';
import { createClient, createCluster } from '@redis/client';
import { fail } from '../../model/index.ts';
import type { CompiledLimit } from '../policy/compile.ts';
import type { Subject } from '../subject.ts';
import type { CounterStore, Demand, Line, LineOutcome, Outcome, Settled, Settlement } from './counter-store.ts';
import { freesAt, type Place, resetsAt, STATE } from './counters.ts';
import { decideScript, settleScript } from './redis-script.ts';

export interface RedisStoreOptions {
  /** redis:// or rediss://; several with commas are nodes of a cluster. */
  readonly url: string;
  /** How long an answer is waited for. */
  readonly withinMs: number;
  /** Instead of the server's time; tests turn it. */
  readonly nowUs?: () => number;
  /** In front of every key. */
  readonly prefix?: string;
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
}

/** One of the two kinds of client, as far as it is used here. */
interface Connection {
  send(firstKey: string, args: string[]): Promise<unknown>;
  close(): Promise<void>;
}

const scripts = { decide: scriptOf(decideScript), settle: scriptOf(settleScript) };

function scriptOf(text: string) {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

const FIELDS = 8;

/** Counters in Redis or Valkey: one script a decision, by the server's clock; what belongs to one organisation has one hash tag. */
export class RedisStore implements CounterStore {
  readonly #connection: Connection;
  readonly #options: RedisStoreOptions;

  private constructor(connection: Connection, options: RedisStoreOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Fails  LIMIT_STORE_UNAVAILABLE when nobody answers there. */
  static async open(options: RedisStoreOptions): Promise<RedisStore> {
    const urls = options.url.split(',');
    try {
      return new RedisStore(
        await (urls.length > 1 ? openCluster(urls, options) : openSingle(urls[0]!, options)),
        options,
      );
    } catch (cause) {
      throw fail('LIMIT_STORE_UNAVAILABLE', {}, [], cause);
    }
  }

  async decide(demand: Demand): Promise<Outcome> {
    // A calendar's window is told with the demand; when the server's clock is in another one, it is told again.
    let nowUs = (this.#options.nowUs ?? (() => Date.now() * 1000))();
    for (let attempt = 0; attempt < 3; attempt++) {
      const [repeat, answer] = (await this.#run('decide', demand.root, ...this.#decideArgs(demand, nowUs))) as string[];
      if (repeat !== 'clock') return outcomeOf(demand, repeat as Outcome['repeat'], answer!.split(';'));
      nowUs = Number(answer);
    }
    throw fail('LIMIT_STORE_UNAVAILABLE', { reason: 'its clock jumps' });
  }

  async settle({ root, id, action, units, nanoMoney }: Settlement): Promise<Settled> {
    const actual = action === 'release' ? 'none' : (units ?? '');
    const state = action === 'commit' ? 'committed' : 'released';
    const args = [this.#rootOf(root), this.#givenNow(), id, state, String(actual), String(nanoMoney ?? '')];
    return (await this.#run('settle', root, [], args)) as Settled;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #decideArgs(demand: Demand, nowUs: number): [string[], string[]] {
    const { lines, subject, hold, units, least, isPeek } = demand;
    const root = this.#rootOf(demand.root);
    const keys = lines.map(({ limit }) => `${root}c:${keyPart(limit.counterId)}:${keyPart(keyText(limit, subject))}`);
    const held = hold === null ? ['', '0', ''] : [hold.id, String(hold.ttlUs), hold.fingerprint];
    const head = [root, this.#givenNow(), String(units), String(least), isPeek ? '1' : '0', ...held];
    return [keys, [...head, ...lines.flatMap((line) => lineArgs(line, nowUs))]];
  }

  #givenNow(): string {
    return this.#options.nowUs === undefined ? '' : String(this.#options.nowUs());
  }

  /** What stands in braces decides on which node of a cluster a key lies. */
  #rootOf(root: string): string {
    return `${this.#options.prefix ?? 'taximeter'}:{${keyPart(root)}}:`;
  }

  async #run(name: keyof typeof scripts, root: string, counterKeys: string[], args: string[]): Promise<unknown> {
    const { sha, text } = scripts[name];
    const keys = [`${this.#rootOf(root)}due`, ...counterKeys];
    const rest = [String(keys.length), ...keys, ...args];
    const send = (command: string, script: string) =>
      withinMs(this.#options.withinMs, this.#connection.send(keys[0]!, [command, script, ...rest]));
    try {
      return await send('EVALSHA', sha).catch((cause: unknown) => {
        // A server that was started anew, or took over, does not know the script.
        if (String(cause).includes('NOSCRIPT')) return send('EVAL', text);
        throw cause;
      });
    } catch (cause) {
      throw fail('LIMIT_STORE_UNAVAILABLE', {}, [], cause);
    }
  }
}

async function openSingle(url: string, { warn, withinMs }: RedisStoreOptions): Promise<Connection> {
  const client = createClient({ url, disableOfflineQueue: true, socket: socketOf(withinMs) });
  client.on('error', (cause: unknown) => warn('redis', { cause: String(cause) }));
  await client.connect();
  return { send: (_, args) => client.sendCommand(args), close: async () => client.destroy() };
}

async function openCluster(urls: readonly string[], { warn, withinMs }: RedisStoreOptions): Promise<Connection> {
  const cluster = createCluster({
    rootNodes: urls.map((url) => ({ url })),
    defaults: { disableOfflineQueue: true, socket: socketOf(withinMs) },
  });
  cluster.on('error', (cause: unknown) => warn('redis', { cause: String(cause) }));
  await cluster.connect();
  return { send: (key, args) => cluster.sendCommand(key, false, args), close: async () => void cluster.destroy() };
}

function socketOf(withinMs: number) {
  return {
    connectTimeout: Math.max(withinMs, 1_000),
    reconnectStrategy: (tries: number) => Math.min(50 * 2 ** tries, 1_000),
  };
}

async function withinMs<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Names cannot hold what stands between them here. Two organisations may each have a tenant of the same name. */
function keyText({ policy: { per } }: CompiledLimit, subject: Subject): string {
  const isOthers = per[0] === 'tenant' && subject.organisation !== subject.tenant;
  return [...(isOthers ? [subject.organisation] : []), ...per.map((level) => subject[level])].join('\u0000');
}

/** Plain names as they are, others by their hash: neither a brace nor a colon can come in. */
function keyPart(text: string): string {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(text)) return text;
  return `~${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
}

/** Of a calendar: length is where this window ends, tick where the next one ends, start where this one begins. */
function lineArgs(
  { limit, amount, ceiling, calendar, cost, unitCost, isEnforced, isMoney }: Line,
  nowUs: number,
): string[] {
  const { algorithm, length, tickUs, parts, partUs, graceUs } = limit;
  const window = calendar?.at(nowUs);
  const next = window && calendar!.at(window.endUs);
  const times = window
    ? [window.endUs, next!.endUs, 0, window.startUs]
    : [algorithm === 'rolling' ? partUs : length, tickUs, parts, 0];
  const divisor = 10 ** (9 - (limit.spec.money?.decimals ?? 9));
  const flags = [isEnforced ? 1 : 0, isMoney ? 1 : 0, divisor];
  return [algorithm, amount, ceiling, graceUs, ...times, cost, unitCost, ...flags].map(String);
}

function outcomeOf({ lines }: Demand, repeat: Outcome['repeat'], answer: readonly string[]): Outcome {
  const nowUs = Number(answer[2]);
  const outcomes = lines.map((line, i): LineOutcome => {
    const at = 3 + i * FIELDS;
    const [before, after, fits, over, state, window, cost] = answer.slice(at, at + 7).map(Number) as number[];
    const place = placeOf(line, state!, window!, answer[at + 7] ?? '');
    const isOver = over === 1;
    return {
      ...{ before: before!, after: after!, fits: fits!, isOver },
      freesAtUs: isOver ? freesAt(place, line, cost!, nowUs) : 0,
      resetsAtUs: resetsAt(place, line, nowUs),
    };
  });
  return { isAdmitted: Number(answer[0]) === 1, repeat, granted: Number(answer[1]), nowUs, lines: outcomes };
}

/** The counter as the server saw it, so that times are worked out by the same functions as in memory. */
function placeOf({ limit }: Line, used: number, window: number, parts: string): Place {
  const state = new Float64Array(STATE);
  state[0] = used;
  state[1] = window;
  const ring = limit.algorithm === 'rolling' ? new Float64Array(limit.parts + 1) : null;
  const place = { state, at: 0, ring, ringAt: 0 };
  if (ring !== null && parts !== '') {
    const first = Math.max(0, window - limit.parts);
    parts.split(',').forEach((count, i) => {
      ring[(first + i) % (limit.parts + 1)] = Number(count);
    });
  }
  return place;
}
