import { createHash } from 'node:crypto';
import { createClient, createCluster, RESP_TYPES } from '@redis/client';
import { fail } from '../../model/index.ts';
import type { CompiledLimit } from '../policy/compile.ts';
import type { Subject } from '../subject.ts';
import type {
  Change,
  CounterStore,
  Demand,
  Line,
  LineOutcome,
  Outcome,
  PartUnits,
  SettleAction,
  Settled,
  SettledMoney,
  Settlement,
} from './counter-store.ts';
import { freesAt, type Place, resetsAt, STATE } from './counters.ts';
import { ANSWER_FIELDS, KINDS } from './redis-line.ts';
import { decideScript, putScript, settleScript } from './redis-script.ts';

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

type Argument = string | Buffer;

/** One of the two kinds of client, as far as it is used here. */
interface Connection {
  send(firstKey: string, args: Argument[]): Promise<unknown>;
  close(): Promise<void>;
}

const scripts = { decide: scriptOf(decideScript), settle: scriptOf(settleScript), put: scriptOf(putScript) };

function scriptOf(text: string) {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

/** Answers hold numbers as they are. */
const BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

/** Counters in Redis or Valkey: one script a decision, by the server's clock; what belongs to one organisation has one hash tag. */
export class RedisStore implements CounterStore {
  readonly #connection: Connection;
  readonly #options: RedisStoreOptions;

  private constructor(connection: Connection, options: RedisStoreOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /**
   * Opens also where nobody answers yet: that calls cannot be limited must not end that they are counted. What is decided meanwhile fails, and each
   * policy says what happens then.
   *
   * Fails  LIMIT_STORE_UNAVAILABLE for an address that is none.
   */
  static async open(options: RedisStoreOptions): Promise<RedisStore> {
    const urls = options.url.split(',');
    const told = { ...options, warn: seldom(options.warn) };
    try {
      const { connection, connected } = urls.length > 1 ? openCluster(urls, told) : openSingle(urls[0]!, told);
      await withinMs(options.withinMs, connected).catch(() => undefined);
      return new RedisStore(connection, options);
    } catch (cause) {
      throw fail('LIMIT_STORE_UNAVAILABLE', {}, [], cause);
    }
  }

  async decide(demand: Demand): Promise<Outcome> {
    // A calendar's window is told with the demand; when the server's clock is in another one, it is told again.
    let nowUs = (this.#options.nowUs ?? (() => Date.now() * 1000))();
    for (let attempt = 0; attempt < 3; attempt++) {
      const [said, told, marks] = (await this.#run(
        'decide',
        demand.root,
        ...this.#decideArgs(demand, nowUs),
      )) as Buffer[];
      const repeat = String(said);
      if (repeat !== 'clock') return outcomeOf(demand, repeat as Outcome['repeat'], told!, String(marks));
      nowUs = Number(told);
    }
    throw fail('LIMIT_STORE_UNAVAILABLE', { reason: 'its clock jumps' });
  }

  async settle({ root, id, action, units, money, isForgotten }: Settlement): Promise<Settled> {
    const actual = action === 'release' ? 'none' : (units ?? '');
    const state = action === 'commit' ? 'committed' : 'released';
    const ended = [id, state, String(actual), ...moneyArgs(action, money), isForgotten === true ? '1' : '0'];
    const args = [this.#rootOf(root), this.#givenNow(), ...ended];
    return String(await this.#run('settle', root, [], args)) as Settled;
  }

  async put(root: string, subject: Subject, line: Line, units: PartUnits, mayFall: boolean): Promise<Change> {
    let nowUs = (this.#options.nowUs ?? (() => Date.now() * 1000))();
    const key = this.#keyOf(this.#rootOf(root), line.limit, subject);
    for (let attempt = 0; attempt < 3; attempt++) {
      const head = [this.#rootOf(root), this.#givenNow(), mayFall ? '1' : '0', packedLines([line], nowUs)];
      const told = (await this.#run('put', root, [key], [...head, ...units.flat().map(String)])) as Buffer[];
      const [before, after] = told.map(String);
      if (before !== 'clock') return { before: Number(before), after: Number(after) };
      nowUs = Number(after);
    }
    throw fail('LIMIT_STORE_UNAVAILABLE', { reason: 'its clock jumps' });
  }

  /** Keys hold hashes of names. */
  usersOf(): [] {
    return [];
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  #decideArgs(demand: Demand, nowUs: number): [string[], Argument[]] {
    const { lines, subject, hold, units, least, isPeek } = demand;
    const root = this.#rootOf(demand.root);
    const keys = lines.map(({ limit }) => this.#keyOf(root, limit, subject));
    const held = hold === null ? [] : [hold.id, String(hold.ttlUs), hold.fingerprint];
    const asked = [String(units), String(least), isPeek ? '1' : '0'];
    return [keys, [root, this.#givenNow(), packedLines(lines, nowUs), ...asked, ...held]];
  }

  /** Takes  root: the beginning of its keys. */
  #keyOf(root: string, limit: CompiledLimit, subject: Subject): string {
    return `${root}k:${counterPart(limit)}:${keyPart(keyText(limit, subject))}`;
  }

  #givenNow(): string {
    return this.#options.nowUs === undefined ? '' : String(this.#options.nowUs());
  }

  /** What stands in braces decides on which node of a cluster a key lies. */
  #rootOf(root: string): string {
    return `${this.#options.prefix ?? 'taximeter'}:{${keyPart(root)}}:`;
  }

  async #run(name: keyof typeof scripts, root: string, counterKeys: string[], args: Argument[]): Promise<unknown> {
    const { sha, text } = scripts[name];
    const keys = [`${this.#rootOf(root)}due`, `${this.#rootOf(root)}next`, ...counterKeys];
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

/** A connection, and when there was the first answer. Until then whatever is sent fails. */
interface Opened {
  readonly connection: Connection;
  readonly connected: Promise<unknown>;
}

const LOST = 'there is no connection to the Redis of the limits; it is tried again';

function openSingle(url: string, { warn, withinMs }: RedisStoreOptions): Opened {
  const client = createClient({ url, disableOfflineQueue: true, socket: socketOf(withinMs) });
  client.on('error', (cause: unknown) => warn(LOST, { cause: String(cause) }));
  const connected = client.connect();
  connected.catch(() => undefined);
  return {
    connection: { send: (_, args) => client.sendCommand(args, BYTES), close: async () => client.destroy() },
    connected,
  };
}

function openCluster(urls: readonly string[], { warn, withinMs }: RedisStoreOptions): Opened {
  const cluster = createCluster({
    rootNodes: urls.map((url) => ({ url })),
    defaults: { disableOfflineQueue: true, socket: socketOf(withinMs) },
  });
  cluster.on('error', (cause: unknown) => warn(LOST, { cause: String(cause) }));
  let isClosed = false;
  // It gives up when none of the nodes answers at once.
  const connect = async () => {
    for (let tries = 0; !isClosed; tries++) {
      try {
        return await cluster.connect();
      } catch (cause) {
        warn(LOST, { cause: String(cause) });
        await new Promise<void>((done) => setTimeout(done, restMs(tries)).unref());
      }
    }
  };
  const send = async (key: string, args: Argument[]) => {
    if (!cluster.isOpen) throw new Error('none of the nodes has answered yet');
    return cluster.sendCommand(key, false, args, BYTES);
  };
  const close = async () => {
    isClosed = true;
    if (cluster.isOpen) cluster.destroy();
  };
  return { connection: { send, close }, connected: connect() };
}

const TELL_AGAIN_MS = 10_000;

/** Each attempt to connect fails: a line for each would fill the disk. */
function seldom(warn: RedisStoreOptions['warn']): RedisStoreOptions['warn'] {
  let nextMs = Number.NEGATIVE_INFINITY;
  return (message, facts) => {
    const nowMs = performance.now();
    if (nowMs < nextMs) return;
    nextMs = nowMs + TELL_AGAIN_MS;
    warn(message, facts);
  };
}

function restMs(tries: number): number {
  return Math.min(50 * 2 ** tries, 1_000);
}

function socketOf(withinMs: number) {
  return {
    connectTimeout: Math.max(withinMs, 1_000),
    reconnectStrategy: restMs,
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

/** A release gives back whatever the currency. */
function moneyArgs(action: SettleAction, money: SettledMoney | null): [string, string] {
  return action === 'release' || money === null
    ? ['', '']
    : [String(money.nano), String(currencyNumber(money.currency))];
}

/** Its three letters as one number; no money is 0. */
function currencyNumber(currency: string | undefined): number {
  return currency === undefined ? 0 : Buffer.from(currency).reduce((number, letter) => number * 256 + letter, 0);
}

const counterParts = new WeakMap<CompiledLimit, string>();

function counterPart(limit: CompiledLimit): string {
  const known = counterParts.get(limit) ?? keyPart(limit.counterId);
  counterParts.set(limit, known);
  return known;
}

const packs = new WeakMap<readonly Line[], Buffer>();

/** The lines as the script reads them: the same for everybody who wants the same, unless a calendar goes on. */
function packedLines(lines: readonly Line[], nowUs: number): Buffer {
  const known = packs.get(lines);
  if (known !== undefined) return known;
  const numbers = lines.flatMap((line) => numbersOf(line, nowUs));
  const packed = Buffer.alloc(numbers.length * 8);
  for (const [i, number] of numbers.entries()) packed.writeDoubleLE(number, i * 8);
  if (lines.every(({ calendar }) => calendar === null)) packs.set(lines, packed);
  return packed;
}

/** In the order of LINE_FIELDS. */
function numbersOf(line: Line, nowUs: number): number[] {
  const { limit, amount, ceiling, calendar, cost, unitCost, isEnforced } = line;
  const money = currencyNumber(limit.spec.money?.currency);
  const { algorithm, length, tickUs, parts, partUs, graceUs } = limit;
  const window = calendar?.at(nowUs);
  const next = window && calendar!.at(window.endUs);
  const times = window
    ? [window.endUs, next!.endUs, 0, window.startUs]
    : [algorithm === 'rolling' ? partUs : length, tickUs, parts, 0];
  const divisor = 10 ** (9 - (limit.spec.money?.decimals ?? 9));
  return [KINDS[algorithm], amount, ceiling, graceUs, ...times, cost, unitCost, isEnforced ? 1 : 0, money, divisor];
}

/** Takes  told: what is said of all, and then ANSWER_FIELDS of each line. marks: `2:0,1,4;` has the parts of the second line's window. */
function outcomeOf({ lines }: Demand, repeat: Outcome['repeat'], told: Buffer, marks: string): Outcome {
  const number = (place: number) => told.readDoubleLE(place * 8);
  const nowUs = number(2);
  // What was answered to a reservation may be about other limits than there are now.
  const isOfThese = told.length === (3 + lines.length * ANSWER_FIELDS.length) * 8;
  const partsOf = new Map(marks.split(';').map((each) => each.split(':') as [string, string]));
  const outcomes = (isOfThese ? lines : []).map((line, i): LineOutcome => {
    const at = 3 + i * ANSWER_FIELDS.length;
    const isOver = number(at + 3) === 1;
    const place = placeOf(line, number(at + 4), number(at + 5), partsOf.get(String(i + 1)) ?? '');
    return {
      ...{ before: number(at), after: number(at + 1), fits: number(at + 2), isOver },
      freesAtUs: isOver ? freesAt(place, line, number(at + 6), nowUs) : 0,
      resetsAtUs: resetsAt(place, line, nowUs),
    };
  });
  return { isAdmitted: number(0) === 1, repeat, granted: number(1), nowUs, lines: outcomes };
}

/** The counter as the server saw it, so that times are worked out by the same functions as in memory. */
function placeOf({ limit }: Line, used: number, window: number, parts: string): Place {
  const state = new Float64Array(STATE);
  state[0] = used;
  state[1] = window;
  const ring = limit.algorithm === 'rolling' ? new Float64Array(limit.parts + 1) : null;
  const place = { state, at: 0, ring, ringAt: 0 };
  // Parts are told where they matter; else all of it is taken for new, so that what is said to come free is never said too early.
  if (ring !== null && parts === '') ring[window % (limit.parts + 1)] = used;
  if (ring !== null && parts !== '') {
    const first = Math.max(0, window - limit.parts);
    parts.split(',').forEach((count, i) => {
      ring[(first + i) % (limit.parts + 1)] = Number(count);
    });
  }
  return place;
}
