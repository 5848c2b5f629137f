import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv4 } from 'node:net';
import { type Unsent, unsent } from './outcome.ts';

/** Where no webhook of a document may lead unless it is allowed: this machine, and what only this network segment or its cloud can reach. */
const forbidden: readonly (readonly [network: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  // Link-local, with the addresses at which clouds tell their secrets.
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['fec0::', 10],
  ['fd00:ec2::', 32],
  ['fd20:ce::', 32],
  ['ff00::', 8],
];

/** Addresses of IPv4 that are written as IPv6: what they lead to counts. */
const wrapped: readonly (readonly [network: string, bits: number])[] = [
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['::', 96],
];

/**
 * Makes the rule that says to which addresses webhooks may go.
 *
 * Takes  allowed: networks and addresses such as `127.0.0.1/32,10.0.0.0/8`, checked before; what is there may be reached whatever else it is.
 */
export function reachableAddresses(allowed: string): (address: string) => boolean {
  const [open, closed, hidden] = [new BlockList(), listOf(forbidden), listOf(wrapped)];
  for (const network of allowed.split(',').filter((text) => text.trim() !== '')) {
    const [address = '', bits = ''] = network.trim().split('/');
    open.addSubnet(address, Number(bits), family(address));
  }
  return (address) => {
    if (isIP(address) === 0) return false;
    if (open.check(address, family(address))) return true;
    // What is written as another kind of address has a rule of its own only where it is allowed as it is written.
    return !closed.check(address, family(address)) && (isIPv4(address) || !hidden.check(address, 'ipv6'));
  };
}

function listOf(networks: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, bits] of networks) list.addSubnet(network, bits, family(network));
  return list;
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}

/**
 * Finds an address of a host that may be reached.
 *
 * Gives  the address; or why there is none.
 * Holds  all addresses of the name may be reached, or none is given: which one is taken must not be the name's choice.
 */
export async function reachableAddress(
  host: string,
  mayReach: (address: string) => boolean,
): Promise<{ readonly address: string; readonly family: number } | Unsent> {
  const name = host.replace(/^\[|\]$/g, '');
  const found = isIP(name) === 0 ? await addressesOf(name) : [{ address: name, family: isIP(name) }];
  const barred = found.find(({ address }) => !mayReach(address));
  if (barred !== undefined)
    return unsent(`${name} leads to ${barred.address}: webhooks may go there only if TAXIMETER_WEBHOOK_ALLOW says so`);
  return found[0] ?? unsent(`${name} has no address`);
}

async function addressesOf(name: string): Promise<{ readonly address: string; readonly family: number }[]> {
  try {
    return await lookup(name, { all: true });
  } catch {
    // Whatever went wrong, the name led nowhere this time.
    return [];
  }
}
