import { compareUtf8 } from '../model/index.ts';
import type { Texts } from '../store/index.ts';
import { Int128Column } from './int128.ts';
import type { Takers } from './takers.ts';

/** The accounts that shares go to, with the numbers that tables keep of them. */
export const accountNumbers = { tenant: 1, idle: 2, unattributed: 3, out_of_scope: 4 } as const;
export type LedgerAccount = keyof typeof accountNumbers;

/** The shares of a slice by columns: one place per share, in the order of posting. */
export interface SliceShares {
  /** What the numbers of services, tenants and endpoints mean. */
  readonly texts: Texts;
  /** Of `accountNumbers`. */
  readonly accounts: Uint8Array;
  /** What a step-down gave it to; the empty text without one. */
  readonly services: Uint32Array;
  readonly tenants: Uint32Array;
  readonly endpoints: Uint32Array;
  readonly weights: Int128Column;
  readonly amounts: Int128Column;
}

/** Makes room for shares. */
export function emptyShares(texts: Texts, count: number): SliceShares {
  return {
    texts,
    accounts: new Uint8Array(count),
    services: new Uint32Array(count),
    tenants: new Uint32Array(count),
    endpoints: new Uint32Array(count),
    weights: Int128Column.zeros(count),
    amounts: Int128Column.zeros(count),
  };
}

/** Gives a whole amount to one of the accounts that belong to nobody. Takes  service: its number. */
export function residualShare(texts: Texts, account: LedgerAccount, service: number, amountAtto: bigint): SliceShares {
  const share = emptyShares(texts, 1);
  share.accounts[0] = accountNumbers[account];
  share.services[0] = service;
  share.amounts.set(0, amountAtto);
  return share;
}

/** The endpoint of what a tenant pays for without having called one. */
const NO_ENDPOINT = '(none)';

/** Gives a whole amount to a tenant, for none of its calls. Takes  service, tenant: their numbers. */
export function tenantShare(texts: Texts, service: number, tenant: number, amountAtto: bigint): SliceShares {
  const share = emptyShares(texts, 1);
  share.accounts[0] = accountNumbers.tenant;
  share.services[0] = service;
  share.tenants[0] = tenant;
  share.endpoints[0] = texts.idOfString(NO_ENDPOINT);
  share.amounts.set(0, amountAtto);
  return share;
}

/** Gives each taker its amount. Takes  service: its number; who has no tenant is unattributed. */
export function takerShares(texts: Texts, service: number, takers: Takers, amounts: Int128Column): SliceShares {
  const { tenants } = takers;
  const accounts = new Uint8Array(tenants.length).fill(accountNumbers.tenant);
  for (let place = 0; place < tenants.length; place++) {
    if (tenants[place] === 0) accounts[place] = accountNumbers.unattributed;
  }
  return { texts, accounts, services: new Uint32Array(tenants.length).fill(service), ...takers, amounts };
}

/** Puts shares behind one another. Takes  parts: at least one, all with the same texts. */
export function joinedShares(parts: readonly SliceShares[]): SliceShares {
  const [first] = parts;
  if (parts.length === 1 && first) return first;
  const join = (column: (part: SliceShares) => Uint32Array) => joined(Uint32Array, parts.map(column));
  return {
    texts: first!.texts,
    accounts: joined(
      Uint8Array,
      parts.map(({ accounts }) => accounts),
    ),
    services: join(({ services }) => services),
    tenants: join(({ tenants }) => tenants),
    endpoints: join(({ endpoints }) => endpoints),
    weights: new Int128Column(join(({ weights }) => weights.words)),
    amounts: new Int128Column(join(({ amounts }) => amounts.words)),
  };
}

/**
 * Puts shares into the order in which they are read back: by service, what is unattributed last, by tenant, by endpoint. Shares of one
 * account for the same taker become one.
 *
 * Holds  amounts and weights of each taker add up to what they were.
 */
export function orderedShares(shares: SliceShares): SliceShares {
  const { texts, accounts, services, tenants, endpoints } = shares;
  const text = (id: number) => texts.string(id);
  const compare = (a: number, b: number) =>
    compareUtf8(text(services[a]!), text(services[b]!)) ||
    Number(accounts[a] === accountNumbers.unattributed) - Number(accounts[b] === accountNumbers.unattributed) ||
    compareUtf8(text(tenants[a]!), text(tenants[b]!)) ||
    compareUtf8(text(endpoints[a]!), text(endpoints[b]!)) ||
    accounts[a]! - accounts[b]!;
  const order = Array.from(accounts, (_, place) => place).sort((a, b) => compare(a, b) || a - b);
  const first = order.filter((place, at) => at === 0 || compare(order[at - 1]!, place) !== 0);
  const whole = emptyShares(texts, first.length);
  let at = -1;
  for (const place of order) {
    if (at < 0 || compare(first[at]!, place) !== 0) {
      at += 1;
      whole.accounts[at] = accounts[place]!;
      whole.services[at] = services[place]!;
      whole.tenants[at] = tenants[place]!;
      whole.endpoints[at] = endpoints[place]!;
    }
    whole.weights.set(at, whole.weights.get(at) + shares.weights.get(place));
    whole.amounts.set(at, whole.amounts.get(at) + shares.amounts.get(place));
  }
  return whole;
}

function joined<Column extends Uint8Array | Uint32Array>(
  kind: new (length: number) => Column,
  parts: readonly Column[],
): Column {
  const whole = new kind(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
