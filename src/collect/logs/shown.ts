import type { LogLine } from './log-line.ts';

/**
 * Gives the object that `taximeter parse` prints for a call, with its keys in their order; what is absent is left out.
 *
 * Holds  ts is RFC 3339 in UTC, with three decimals, or six where the log is finer than milliseconds.
 */
export function shownLogLine(line: LogLine): Record<string, unknown> {
  return {
    ts: instantText(line.tsUs),
    method: line.method,
    path: line.path,
    query: line.query,
    status: line.status,
    bytes_in: line.bytesIn,
    bytes_out: line.bytesOut,
    duration_us: line.durationUs,
    client_ip: line.clientIp,
    user_agent: line.userAgent,
    host: line.host,
    protocol: line.protocol,
    kind: line.kind,
    route: line.route,
    tenant: line.tenant,
    records: line.records,
    cpu_us: line.cpuUs,
    db_us: line.dbUs,
  };
}

function instantText(tsUs: number): string {
  const text = new Date(Math.floor(tsUs / 1000)).toISOString();
  const finer = tsUs % 1000;
  return finer === 0 ? text : `${text.slice(0, -1)}${String(finer).padStart(3, '0')}Z`;
}
