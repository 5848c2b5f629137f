import { RPC_STATUS, successClassSql } from '../../collect/index.ts';
import { fail } from '../../model/index.ts';
import type { QueryParams } from '../../store/index.ts';

/**
 * What calls can be told apart by, and how it is read from the row of a call. Tenant, endpoint and consumer are in rollups as well;
 * whatever else is asked for is summed from the calls themselves.
 */
export const dimensionSql = {
  tenant: 'tenant',
  endpoint: 'endpoint',
  consumer: 'consumer',
  kind: 'call_kind',
  class: successClassSql,
  status: `multiIf(status = 0, 'none', status >= ${RPC_STATUS}, 'grpc', concat(toString(intDiv(status, 100)), 'xx'))`,
  region: 'region',
  version: 'version',
  flags: 'flags',
  service: 'service',
} as const satisfies Record<string, string>;

export type Dimension = keyof typeof dimensionSql;
export const dimensions = Object.keys(dimensionSql) as Dimension[];

/** By name of a dimension, the values of which one must be there. */
export type Choice = Partial<Readonly<Record<Dimension, readonly string[]>>>;

const MOST_VALUES = 1_000;

/** A choice as further conditions on rows of calls; empty for all calls. */
export function choiceSql(only: Choice): { readonly sql: string; readonly params: QueryParams } {
  const names = Object.keys(only) as Dimension[];
  const sql = names.map((name) => ` AND ${dimensionSql[name]} IN ({only_${name}:Array(String)})`).join('');
  return { sql, params: Object.fromEntries(names.map((name) => [`only_${name}`, only[name]])) };
}

/** Reads a list of dimensions such as `tenant,endpoint`. Fails PARAMETER_INVALID. */
export function parseDimensions(text: string, known: readonly Dimension[] = dimensions): Dimension[] {
  const names = listed(text, ',');
  const unknown = names.filter((name) => !(known as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw fail('PARAMETER_INVALID', { by: unknown.join(',').slice(0, 60), known: known.join(',') });
  return known.filter((name) => names.includes(name));
}

/**
 * Reads a choice of calls, a cohort: `tenant:acme|globex;version:2`.
 *
 * Gives  an empty choice, all calls, for an empty text.
 * Fails  PARAMETER_INVALID.
 */
export function parseChoice(text: string): Choice {
  const parts = listed(text, ';').map((part) => {
    const colon = part.indexOf(':');
    const name = part.slice(0, Math.max(colon, 0)).trim();
    if (!Object.hasOwn(dimensionSql, name))
      throw fail('PARAMETER_INVALID', { where: part.slice(0, 60), known: dimensions.join(',') });
    const values = part
      .slice(colon + 1)
      .split('|')
      .map((value) => value.trim());
    if (values.length > MOST_VALUES) throw fail('PARAMETER_INVALID', { where: name, values: MOST_VALUES });
    return [name, values] as const;
  });
  if (new Set(parts.map(([name]) => name)).size < parts.length)
    throw fail('PARAMETER_INVALID', { reason: 'a dimension stands twice in the choice; write its values with |' });
  return Object.fromEntries(parts);
}

/** A choice in words, as reports say it: as it is read, or that it is all calls. */
export function shownChoice(only: Choice): string {
  const parts = Object.entries(only).map(([name, values]) => `${name}:${values.join('|')}`);
  return parts.length === 0 ? 'all calls' : parts.join(';');
}

function listed(text: string, separator: string): string[] {
  return text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
