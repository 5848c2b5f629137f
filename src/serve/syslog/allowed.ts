import { BlockList, isIPv4 } from 'node:net';

/**
 * Makes the rule that says whose syslog is taken: this machine's, and that of the networks named.
 *
 * Takes  networks: `10.0.0.0/8,fd00::/8`, checked before; may be empty.
 */
export function allowedSenders(networks: string): (address: string) => boolean {
  const list = new BlockList();
  list.addSubnet('127.0.0.0', 8, 'ipv4');
  list.addAddress('::1', 'ipv6');
  for (const network of networks.split(',').filter((text) => text !== '')) {
    const [address = '', bits = ''] = network.trim().split('/');
    list.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return (address) => {
    const plain = plainAddress(address);
    return list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
  };
}

/** An IPv4 address as a listener for both kinds shows it, in its own form. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
