import { lookup } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import { findLogFormat, parseTenantFrom, type TenantFrom } from '../../collect/index.ts';
import { fail } from '../../model/index.ts';
import type { House } from '../house.ts';
import { allowedSenders } from './allowed.ts';
import type { Reading } from './sender.ts';
import { SyslogTcp, TCP_BOUNDS } from './tcp.ts';
import { SyslogUdp } from './udp.ts';

export interface SyslogConfig {
  readonly host: string;
  /** Of UDP and of TCP; 0 takes one that is free. */
  readonly port: number;
  /** Networks besides this machine that may send. */
  readonly allow: string;
  /** A name of a log format, or `auto`. */
  readonly format: string;
  readonly tenantFrom: string;
}

/** The open listeners. */
export interface SyslogListeners {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Takes access logs as syslog, over UDP and TCP on one port. The tag of a message is its service.
 *
 * Fails  PORT_IN_USE; CONFIG_INVALID for a format or a rule of tenants that does not exist.
 */
export async function listenSyslog(house: House, config: SyslogConfig, bounds = TCP_BOUNDS): Promise<SyslogListeners> {
  const reading = readingOf(config);
  const isAllowed = allowedSenders(config.allow);
  const { address, family } = await lookup(config.host);
  const tcp = new SyslogTcp(house, reading, isAllowed, bounds);
  const udp = new SyslogUdp(house, reading, isAllowed, family === 6 ? 'udp6' : 'udp4');
  await opened(tcp.server, config, () => tcp.server.listen(config.port, address));
  const { port } = tcp.server.address() as AddressInfo;
  try {
    await opened(udp.socket, config, () => udp.socket.bind(port, address));
  } catch (cause) {
    await tcp.stop();
    throw cause;
  }
  udp.socket.on('error', (cause) => house.log.warn('syslog over UDP failed', { cause: String(cause) }));
  tcp.server.on('error', (cause) => house.log.warn('syslog over TCP failed', { cause: String(cause) }));
  const stop = async () => {
    await Promise.all([tcp.stop(), udp.stop()]);
  };
  return { port, stop };
}

function readingOf({ format, tenantFrom }: SyslogConfig): Reading {
  const problems = [];
  const rule: TenantFrom | null = parseTenantFrom(tenantFrom);
  if (rule === null) problems.push({ message: `TAXIMETER_SYSLOG_TENANT_FROM: ${tenantFrom} is no rule` });
  if (format !== 'auto' && findLogFormat(format) === null)
    problems.push({ message: `TAXIMETER_SYSLOG_FORMAT: ${format} is no format` });
  if (rule === null || problems.length > 0) throw fail('CONFIG_INVALID', {}, problems);
  return { format, tenantFrom: rule, tenantFromText: tenantFrom };
}

interface Listener {
  once(event: 'listening' | 'error', listener: (cause: NodeJS.ErrnoException) => void): unknown;
  removeAllListeners(event: 'error'): unknown;
}

function opened(listener: Listener, { host, port }: SyslogConfig, open: () => unknown): Promise<void> {
  return new Promise((done, failed) => {
    listener.once('error', (cause) => {
      failed(cause.code === 'EADDRINUSE' ? fail('PORT_IN_USE', { host, port }, [], cause) : cause);
    });
    listener.once('listening', () => {
      listener.removeAllListeners('error');
      done();
    });
    open();
  });
}
