#!/usr/bin/env node
// Checks an exported ledger. Needs Node.js and nothing of Taximeter: docs/reference/ledger-export.md says what it does, so that
// anybody can write it again.
import { createHash } from 'node:crypto';
import { createReadStream, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const MOST_PROBLEMS = 20;
const ACCOUNTS = { tenant: 1, idle: 2, unattributed: 3, out_of_scope: 4 };
const KINDS = ['direct', 'indirect'];
const NO_HASH = '0'.repeat(64);

/**
 * Checks a file line by line; memory holds one posting.
 *
 * @param {string} path of the export
 * @param {{ seal?: string }} [options] seal: a hash that the chain must have come by, as noted down at an earlier time
 * @returns {Promise<{ period: string, blocks: number, postings: number, shares: number, hash: string, problems: string[] }>}
 */
export async function verifyLedger(path, options = {}) {
  const check = new Check();
  let [rest, number] = [Buffer.alloc(0), 0];
  for await (const chunk of createReadStream(path)) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = rest.indexOf(10, from); end >= 0; end = rest.indexOf(10, from)) {
      check.line(rest.subarray(from, end + 1), ++number);
      from = end + 1;
    }
    rest = rest.subarray(from);
  }
  if (rest.length > 0) check.problem(number + 1, 'the last line has no end: the file was cut');
  return check.finish(number, options.seal);
}

class Check {
  problems = [];
  count = { blocks: 0, postings: 0, shares: 0 };
  all = createHash('sha256');
  lines = 0;
  head = null;
  hash = NO_HASH;
  hashes = [NO_HASH];
  block = null;
  posting = null;
  isEnded = false;

  problem(line, message) {
    if (this.problems.length < MOST_PROBLEMS) this.problems.push(`line ${line}: ${message}`);
  }

  line(bytes, number) {
    const value = parsed(bytes);
    if (value === null) return this.problem(number, 'is not JSON as it was written');
    if (this.isEnded) return this.problem(number, 'stands behind the end');
    if (this.head === null && value.type !== 'ledger')
      return this.problem(number, 'the export does not begin with its head');
    if (value.type === 'end') return this.end(value, number);
    this.all.update(bytes);
    this.lines += 1;
    if (value.type === 'ledger') this.begin(value, number);
    else if (value.type === 'block') this.startBlock(value, number);
    else if (value.type === 'posting') this.startPosting(value, number);
    else if (value.type === 'share') this.share(value, number);
    else this.problem(number, 'is of no type that an export has');
  }

  begin(value, number) {
    if (this.head !== null) this.problem(number, 'a second head');
    if (value.version !== 1) this.problem(number, `version ${value.version} is not known here`);
    this.head = value;
  }

  startBlock(value, number) {
    this.endBlock(number);
    this.count.blocks += 1;
    if (value.place !== this.count.blocks)
      this.problem(number, `block ${value.place} stands where ${this.count.blocks} belongs`);
    if (value.before !== this.hash) this.problem(number, `block ${value.place} does not follow the one before it`);
    this.block = { ...value, texts: [] };
  }

  startPosting(value, number) {
    this.endPosting(number);
    this.count.postings += 1;
    if (this.block === null) return this.problem(number, 'a posting outside of a block');
    const ms = (instant) => (instant === null ? [] : [Date.parse(instant)]);
    const key = [value.source, value.account, value.currency, ...ms(value.billingStart), ...ms(value.billingEnd)];
    key.push(...ms(value.chargeStart), ...ms(value.chargeEnd), value.pool, ...ms(value.restates));
    const id = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 32);
    if (id !== value.slice) this.problem(number, 'the posting is not that of its slice');
    if (!KINDS.includes(value.kind)) this.problem(number, `the kind ${value.kind} is none`);
    this.posting = { value, number, rows: [], sum: 0n };
  }

  share(value, number) {
    this.count.shares += 1;
    if (this.posting === null) return this.problem(number, 'a share outside of a posting');
    const sign = this.posting.value.entry === 'reversal' ? -1n : 1n;
    const [amount, account] = [atto(value.amount), ACCOUNTS[value.account]];
    if (amount === null || account === undefined || !/^\d+$/.test(value.weight))
      return this.problem(number, 'is no share');
    this.posting.sum += amount;
    this.posting.rows.push({ ...value, account, weight: BigInt(value.weight), amount: sign * amount });
  }

  endPosting(number) {
    if (this.posting === null) return;
    const { value, rows, sum, number: at } = this.posting;
    this.posting = null;
    const own = atto(value.amount);
    if (value.shares !== rows.length)
      this.problem(number, `the posting of line ${at} has ${rows.length} of its ${value.shares} shares`);
    if (own !== sum) this.problem(at, `the shares add up to another amount than ${value.amount}`);
    const digest = digestOf(value, rows, value.entry === 'reversal' ? -(own ?? 0n) : (own ?? 0n));
    if (digest.slice(0, 32) !== value.fingerprint)
      this.problem(at, 'the posting or its shares are not what was posted');
    const version = String(value.version).padStart(10, '0');
    this.block?.texts.push(`${value.slice} ${version} ${value.entry} ${digest}`);
  }

  endBlock(number) {
    this.endPosting(number);
    if (this.block === null) return;
    const { place, before, postedAtMs, texts, postings, hash } = this.block;
    this.block = null;
    if (postings !== texts.length)
      this.problem(number, `block ${place} has ${texts.length} of its ${postings} postings`);
    const text = [before, `${this.head?.period} ${place} ${postedAtMs}`, ...texts.sort(), ''].join('\n');
    const own = createHash('sha256').update(text).digest('hex');
    if (own !== hash) this.problem(number, `block ${place} is not what its hash says`);
    this.hash = hash;
    this.hashes.push(hash);
  }

  end(value, number) {
    this.endBlock(number);
    this.isEnded = true;
    if (value.lines !== this.lines) this.problem(number, `there are ${this.lines} lines instead of ${value.lines}`);
    if (value.sha256 !== this.all.digest('hex')) this.problem(number, 'the lines are not those that were written');
    if (this.head === null) return;
    for (const name of ['blocks', 'postings', 'shares']) {
      if (this.head[name] !== this.count[name])
        this.problem(number, `there are ${this.count[name]} ${name} instead of ${this.head[name]}`);
    }
    if (this.head.hash !== this.hash) this.problem(number, 'the chain does not come to the hash of the head');
    for (const seal of this.head.seals) {
      if (seal.hash !== '' && this.hashes[seal.place] !== seal.hash)
        this.problem(number, `the seal of ${seal.source} ${seal.account} ${seal.currency} is not in the chain`);
    }
  }

  finish(lines, seal) {
    if (!this.isEnded) this.problem(lines + 1, 'the end is missing: the file was cut');
    if (seal !== undefined && !this.hashes.includes(seal))
      this.problem(lines, 'the chain has not come by the seal given');
    return { period: this.head?.period ?? '', ...this.count, hash: this.hash, problems: this.problems };
  }
}

/** JSON as Taximeter writes it, or null: another spelling of the same value is another line. */
function parsed(bytes) {
  try {
    const value = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && Buffer.from(`${JSON.stringify(value)}\n`).equals(bytes)
      ? value
      : null;
  } catch {
    return null;
  }
}

/** Decimal text with 18 decimals as a whole number of 10^-18. */
function atto(text) {
  return /^-?\d+\.\d{18}$/.test(text) ? BigInt(text.replace('.', '')) : null;
}

/** What a posting says, as a SHA-256. */
function digestOf({ kind, driver, model }, rows, amount) {
  const hash = createHash('sha256').update(JSON.stringify([amount.toString(), kind, driver, model, rows.length]));
  for (const name of ['service', 'tenant', 'endpoint']) hash.update(textColumn(rows.map((row) => row[name])));
  hash.update(Uint8Array.from(rows, ({ account }) => account));
  for (const name of ['weight', 'amount']) hash.update(Buffer.concat(rows.map((row) => int128(row[name]))));
  return hash.digest('hex');
}

/** Every text once in the order of its first use, the empty one first; then which of them each row has. */
function textColumn(texts) {
  const places = new Map([['', 0]]);
  const keys = Buffer.alloc(4 * texts.length);
  texts.forEach((text, row) => {
    if (!places.has(text)) places.set(text, places.size);
    keys.writeUInt32LE(places.get(text), 4 * row);
  });
  const entries = Buffer.concat(
    [...places.keys()].map((text) => Buffer.concat([varint(Buffer.byteLength(text)), Buffer.from(text)])),
  );
  const size = Buffer.alloc(4);
  size.writeUInt32LE(entries.length);
  return Buffer.concat([size, entries, keys]);
}

function varint(number) {
  const bytes = [];
  for (; number >= 128; number = Math.floor(number / 128)) bytes.push((number % 128) | 128);
  return Buffer.from([...bytes, number]);
}

function int128(number) {
  const bytes = Buffer.alloc(16);
  const unsigned = BigInt.asUintN(128, number);
  bytes.writeBigUInt64LE(unsigned & 0xffff_ffff_ffff_ffffn, 0);
  bytes.writeBigUInt64LE(unsigned >> 64n, 8);
  return bytes;
}

async function run(args) {
  const at = args.indexOf('--seal');
  const seal = at < 0 ? undefined : args[at + 1];
  const [file, ...others] = args.filter((_, place) => at < 0 || (place !== at && place !== at + 1));
  if (file === undefined || others.length > 0 || (at >= 0 && seal === undefined)) {
    process.stderr.write('usage: taximeter-verify FILE [--seal HASH]\n');
    return 2;
  }
  const { period, blocks, postings, shares, hash, problems } = await verifyLedger(file, { seal });
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) return 1;
  process.stdout.write(`${period}: ${blocks} blocks, ${postings} postings, ${shares} shares; ${hash}\n`);
  return 0;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await run(process.argv.slice(2)).catch((cause) => {
    process.stderr.write(`${cause.message}\n`);
    return 1;
  });
}
