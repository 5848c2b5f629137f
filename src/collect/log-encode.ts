import { createHash } from 'node:crypto';
import { SpanKind, UNKNOWN_TENANT } from '../model/index.ts';
import type { RowWriter } from '../store/index.ts';
import type { LogLine } from './combined-log.ts';
import { templatePath } from './path-template.ts';
import { safeConsumer } from './privacy.ts';
import { measures, Origin } from './work-row.ts';

/** Where a log's lines find their tenant. */
export type TenantFrom =
  | { readonly from: 'none' }
  | { readonly from: 'fixed'; readonly tenant: string }
  | { readonly from: 'user' }
  | { readonly from: 'host' }
  | { readonly from: 'path'; readonly segment: number };

/** A log that lines come from. */
export interface LogSource {
  readonly service: string;
  readonly tenantFrom: TenantFrom;
  /** Tells this log from others whatever its file is called now: the hash of its first line. */
  readonly fingerprint: string;
}

const LONGEST_TENANT = 256;

/**
 * Writes one access-log line as a call: the sent part of a work row, with its length in front.
 *
 * Takes  offset: of the line's first byte in the log, after decompression. raw: the line itself.
 * Holds  the same line at the same place of the same log has the same identity, whatever the file is called.
 */
export function encodeLogLine(
  writer: RowWriter,
  line: LogLine,
  source: LogSource,
  offset: number,
  raw: string,
  namespace: Buffer,
): void {
  const lengthAt = writer.sizeBytes;
  const identity = identityOf(namespace, source.fingerprint, offset, raw);
  writer.u32(0);
  writer.textBytes(namespace, 0, namespace.length);
  writer.fixed(identity, 0, 16);
  writer.fixed(identity, 16, 8);
  writer.u64(0);
  writer.u8(Origin.log);
  writer.u8(SpanKind.SERVER);
  writeTimes(writer, line);
  writer.u64(1_000_000);
  writer.u8(1);
  writer.text(source.service);
  for (let i = 0; i < 3; i++) writer.u8(0);
  writer.u8(0);
  writer.text(endpointOf(line));
  writer.u16(line.status !== undefined && line.status <= 999 ? line.status : 0);
  writer.u8(line.status !== undefined && line.status >= 500 ? 1 : 0);
  const tenant = tenantOf(line, source.tenantFrom);
  writer.text(tenant);
  writer.text(tenant === '' ? '' : source.tenantFrom.from);
  writer.u8(0);
  writer.u8(0);
  const consumer = line.user === undefined ? null : safeConsumer(line.user);
  if (consumer === null) writer.u8(0);
  else writer.textBytes(consumer, 0, consumer.length);
  for (const measure of measures) {
    const value = measure === 'bytes_in' ? line.bytesIn : measure === 'bytes_out' ? line.bytesOut : undefined;
    writer.u8(value === undefined ? 1 : 0);
    if (value !== undefined) writer.u64(value);
  }
  writer.u8(0);
  writer.patchU32(lengthAt, writer.sizeBytes - lengthAt - 4);
}

function identityOf(namespace: Buffer, fingerprint: string, offset: number, raw: string): Buffer {
  const hash = createHash('sha256');
  hash.update(`log:${namespace.length}:`).update(namespace);
  hash.update(`${fingerprint.length}:${fingerprint}${offset}:${raw}`);
  return hash.digest();
}

/** A log gives the time of the request and perhaps its length; the end is what is written on the line for most formats. */
function writeTimes(writer: RowWriter, line: LogLine): void {
  const startNs = BigInt(line.tsMs) * 1_000_000n;
  writer.i64(startNs);
  writer.i64(startNs + BigInt(line.durationUs ?? 0) * 1_000n);
  writer.u8(line.durationUs === undefined ? 0 : 1);
}

function endpointOf(line: LogLine): string {
  if (line.path === undefined) return '(malformed request)';
  return `${line.method ?? 'HTTP'} ${templatePath(line.path)}`;
}

function tenantOf(line: LogLine, rule: TenantFrom): string {
  const value = tenantText(line, rule);
  return [...(value ?? '')].slice(0, LONGEST_TENANT).join('').replace(UNKNOWN_TENANT, '');
}

function tenantText(line: LogLine, rule: TenantFrom): string | undefined {
  switch (rule.from) {
    case 'fixed':
      return rule.tenant;
    case 'user':
      return line.user === undefined ? undefined : safeConsumer(line.user).toString();
    case 'host':
      return line.host;
    case 'path':
      return line.path?.split('/').filter((segment) => segment !== '')[rule.segment - 1];
    case 'none':
      return undefined;
  }
}

/** Reads `--tenant-from`: `fixed:acme`, `user`, `host`, `path:2`; null when it is none of these. */
export function parseTenantFrom(text: string | undefined): TenantFrom | null {
  if (text === undefined || text === '' || text === 'none') return { from: 'none' };
  if (text === 'user' || text === 'host') return { from: text };
  const [from, value] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];
  if (from === 'fixed' && value !== '') return { from: 'fixed', tenant: value };
  const segment = Number(value);
  return from === 'path' && Number.isInteger(segment) && segment >= 1 && segment <= 20
    ? { from: 'path', segment }
    : null;
}
