import type { QueryParams } from '../store/index.ts';
import type { CostModelSpec } from './cost-model.ts';
import type { Condition } from './pool.ts';

/** A piece of SQL with the values it needs; values never become part of the text. */
export interface SqlPiece {
  readonly sql: string;
  readonly params: QueryParams;
}

/**
 * Writes which pool takes a charge: the place of the first one that matches, -1 when none does.
 *
 * Takes  spec: a model; pools of fixed amounts match no charge.
 * Gives  an expression over the table `charges`.
 */
export function poolOfCharge(spec: CostModelSpec): SqlPiece {
  const params: QueryParams = {};
  const value = (text: string) => {
    const name = `m${Object.keys(params).length}`;
    params[name] = text;
    return `{${name}:String}`;
  };
  const branches = spec.pools.flatMap((pool, place) => {
    if (!pool.match) return [];
    const all = Object.entries(pool.match).map(([column, condition]) => matches(column, condition, value));
    return [`(${all.join(' AND ')}), ${place}`];
  });
  return { sql: branches.length === 0 ? 'toInt32(-1)' : `toInt32(multiIf(${branches.join(', ')}, -1))`, params };
}

function matches(column: string, condition: Condition, value: (text: string) => string): string {
  const isTag = column.startsWith('Tags.');
  const map = isTag ? 'tags' : 'columns';
  const key = value(isTag ? column.slice('Tags.'.length) : column);
  const isNot = typeof condition === 'object' && !Array.isArray(condition);
  const wanted = [isNot ? condition.not : condition].flat();
  const any = wanted.map((text) => equals(`${map}[${key}]`, text, value)).join(' OR ');
  return `(mapContains(${map}, ${key}) AND ${isNot ? 'NOT ' : ''}(${any}))`;
}

function equals(field: string, text: string, value: (text: string) => string): string {
  if (!text.includes('*')) return `${field} = ${value(text)}`;
  return `${field} LIKE ${value(text.replace(/[\\%_]/g, '\\$&').replace(/\*+/g, '%'))}`;
}
