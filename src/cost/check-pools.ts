import type { Problem } from '../model/index.ts';
import { type Condition, origins, type Pool } from './pool.ts';

/** One thing wrong with the pools of a model, and where. */
export interface PoolProblem extends Problem {
  readonly at: readonly (string | number)[];
}

/**
 * Checks what no pool can be wrong about alone.
 *
 * Gives  every problem: names used twice, pools without money, without a driver, and pools that pass money on to nobody or in a circle.
 */
export function poolProblems(pools: readonly Pool[]): PoolProblem[] {
  const receivers = new Set(pools.flatMap(({ into }) => into?.pools ?? []));
  return [
    ...repeatedNames(pools),
    ...pools.flatMap((pool, place) => [...originProblems(pool, place, receivers), ...sharingProblems(pool, place)]),
    ...pools.flatMap((pool, place) => passingProblems(pool, place, pools)),
    ...circles(pools),
  ];
}

/**
 * Looks for pools that may be a mistake, though money is shared out all the same: charges go to the first pool that matches, and one that
 * asks for no more than an earlier one never gets any.
 */
export function poolNotes(pools: readonly Pool[]): PoolProblem[] {
  return pools.flatMap((pool, place) => shadowNotes(pool, place, pools));
}

function repeatedNames(pools: readonly Pool[]): PoolProblem[] {
  const seen = new Set<string>();
  return pools.flatMap(({ id }, place) => {
    const at = ['pools', place, 'id'];
    if (id === 'out_of_scope') return [{ at, message: 'is a reserved name' }];
    if (seen.has(id)) return [{ at, message: `${id} is used twice` }];
    seen.add(id);
    return [];
  });
}

function originProblems(pool: Pool, place: number, receivers: ReadonlySet<string>): PoolProblem[] {
  const given = origins.filter((name) => pool[name] !== undefined);
  if (given.length === 1 || (given.length === 0 && receivers.has(pool.id))) return [];
  const message =
    given.length === 0
      ? `must have one of ${origins.join(', ')}, or be named in the into of another pool`
      : `must have only one of ${given.join(', ')}`;
  return [{ at: ['pools', place], message }];
}

function sharingProblems(pool: Pool, place: number): PoolProblem[] {
  const at = ['pools', place];
  const own = (['driver', 'split', 'weights'] as const).filter((name) => pool[name] !== undefined);
  if (pool.into && own.length > 0) return [{ at, message: `passes everything on, so it has no ${own.join(', ')}` }];
  if (pool.fees && own.length > 0)
    return [{ at, message: `each call takes its own fees, so it has no ${own.join(', ')}` }];
  if (!pool.into && !pool.fees && pool.driver === undefined) return [{ at, message: 'must have a driver' }];
  return [];
}

function passingProblems(pool: Pool, place: number, pools: readonly Pool[]): PoolProblem[] {
  const { into } = pool;
  if (!into) return [];
  const known = new Map(pools.map((other) => [other.id, other]));
  const problems: PoolProblem[] = [];
  into.pools.forEach((id, index) => {
    const at = ['pools', place, 'into', 'pools', index];
    if (!known.has(id)) problems.push({ at, message: `there is no pool ${id}` });
    else if (known.get(id)?.fees) problems.push({ at, message: `${id} shares fees by call and can take nothing else` });
    if (into.pools.indexOf(id) < index) problems.push({ at, message: `${id} is named twice` });
  });
  if (typeof into.by === 'object' && 'percent' in into.by) {
    const named = new Set(Object.keys(into.by.percent));
    const strangers = [...named].filter((id) => !into.pools.includes(id));
    const left = into.pools.filter((id) => !named.has(id));
    for (const id of [...strangers, ...left])
      problems.push({ at: ['pools', place, 'into', 'by'], message: `${id} must stand both in pools and in percent` });
  }
  return problems;
}

/** Follows money from pool to pool; whoever meets itself is told once, with the way round. */
function circles(pools: readonly Pool[]): PoolProblem[] {
  const places = new Map(pools.map(({ id }, place) => [id, place]));
  const state = new Map<string, 'open' | 'done'>();
  const problems: PoolProblem[] = [];
  const visit = (id: string, way: readonly string[]): void => {
    const place = places.get(id);
    if (place === undefined || state.get(id) === 'done') return;
    if (state.get(id) === 'open') {
      const round = [...way.slice(way.indexOf(id)), id].join(' -> ');
      problems.push({ at: ['pools', places.get(way.at(-1)!)!, 'into'], message: `passes money in a circle: ${round}` });
      return;
    }
    state.set(id, 'open');
    for (const next of pools[place]!.into?.pools ?? []) visit(next, [...way, id]);
    state.set(id, 'done');
  };
  for (const { id } of pools) visit(id, []);
  return problems;
}

function shadowNotes(pool: Pool, place: number, pools: readonly Pool[]): PoolProblem[] {
  const { match } = pool;
  if (!match) return [];
  const earlier = pools
    .slice(0, place)
    .find((other) => other.match && other.id !== pool.id && takesAll(other.match, match));
  if (!earlier) return [];
  return [
    { at: ['pools', place, 'match'], message: `never takes a charge: ${earlier.id}, before it, takes all of them` },
  ];
}

type Match = NonNullable<Pool['match']>;

/** Whether whatever the narrower match takes is taken by the wider one too, as far as that can be told from their texts. */
function takesAll(wider: Match, narrower: Match): boolean {
  return Object.entries(wider).every(([column, condition]) => {
    const other = narrower[column];
    return other !== undefined && covers(condition, other);
  });
}

function covers(wider: Condition, narrower: Condition): boolean {
  const [wide, narrow] = [wanted(wider), wanted(narrower)];
  if (wide.isNot !== narrow.isNot) return false;
  const [all, some] = wide.isNot ? [narrow.texts, wide.texts] : [wide.texts, narrow.texts];
  return some.every((text) => all.some((glob) => glob === text || (!text.includes('*') && globMatches(glob, text))));
}

function wanted(condition: Condition): { readonly isNot: boolean; readonly texts: readonly string[] } {
  const isNot = typeof condition === 'object' && !Array.isArray(condition);
  return { isNot, texts: [isNot ? condition.not : condition].flat() };
}

/** Whether a text fits a pattern in which `*` is any text. */
export function globMatches(glob: string, text: string): boolean {
  const parts = glob.split('*');
  const [first = '', ...others] = parts;
  if (others.length === 0) return glob === text;
  const last = others.pop()!;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
