import type { LogLine } from './log-line.ts';

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
  /** Which of several machines that may write the very same lines; often empty. */
  readonly host: string;
  readonly tenantFrom: TenantFrom;
  /** Tells this log from others whatever its file is called now: the hash of its first line. */
  readonly fingerprint: string;
}

/** What a line says of its tenant by a rule; empty when it says nothing. The user is the caller's business: it may be personal. */
export function tenantText(line: LogLine, rule: TenantFrom): string {
  switch (rule.from) {
    case 'fixed':
      return rule.tenant;
    case 'host':
      return line.host ?? '';
    case 'path':
      return line.path?.split('/').filter((segment) => segment !== '')[rule.segment - 1] ?? '';
    case 'user':
    case 'none':
      return line.tenant ?? '';
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
