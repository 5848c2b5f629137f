import { formatInstant } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import { type ActiveWindows, activeWindows, type EntityQuestion } from './entities.ts';
import { type Presence, readPresence, type Standing } from './freshness.ts';

type State = ReturnType<Presence['stateOf']>;

export interface AdoptionRow {
  readonly start: string;
  readonly end: string;
  readonly state: State;
  readonly active: number | null;
  /** Never active before. */
  readonly new: number | null;
  /** Active in the window before, too. */
  readonly returning: number | null;
  /** Active before, but not in the window before. */
  readonly resurrected: number | null;
  /** Active in the window before, and not in this one. */
  readonly lapsed: number | null;
}

export interface AdoptionReport extends Standing {
  readonly rows: readonly AdoptionRow[];
}

/**
 * Counts who is active, and who came and went.
 *
 * Gives  a row for each window of the range; null in windows of which nobody knows.
 * Holds  active = new + returning + resurrected; active of the window before = returning + lapsed.
 */
export async function adoptionReport(store: Store, question: EntityQuestion, now: Date): Promise<AdoptionReport> {
  const presence = await readPresence(store.columns, question.range, now);
  const standing = presence.standing(question.range, 0n, 0n);
  const found = await activeWindows(store.columns, question);
  if (found === null) return { rows: [], ...standing };
  const counts = await store.columns.query<Record<'place' | 'active' | 'new' | 'returning', string>>(
    // The place before each goes beside it: whoever asks for it below the join copies the whole list for every place.
    `SELECT place, count() AS active, countIf(earlier = -2) AS new, countIf(earlier = place - 1) AS returning
     FROM (SELECT seen, arrayPushFront(arrayPopBack(seen), toInt32(-2)) AS before FROM (${found.source.sql}))
     ARRAY JOIN seen AS place, before AS earlier GROUP BY place`,
    found.source.params,
  );
  const byPlace = new Map(counts.map((row) => [Number(row.place), row]));
  const activeAt = (place: number) => Number(byPlace.get(place)?.active ?? 0);
  const rows = found.windows.slice(found.first).map((window, offset): AdoptionRow => {
    const place = found.first + offset;
    const state = presence.stateOf(window, question.range);
    const shown = { start: formatInstant(window.fromMs), end: formatInstant(window.toMs), state };
    if (state === 'gap' || state === 'future')
      return { ...shown, active: null, new: null, returning: null, resurrected: null, lapsed: null };
    const { active, new: fresh, returning } = byPlace.get(place) ?? { active: '0', new: '0', returning: '0' };
    const resurrected = Number(active) - Number(fresh) - Number(returning);
    const lapsed = activeAt(place - 1) - Number(returning);
    return { ...shown, active: Number(active), new: Number(fresh), returning: Number(returning), resurrected, lapsed };
  });
  return { rows, ...standing };
}

export interface RetentionRow {
  /** The window of the first call. */
  readonly cohort: string;
  readonly size: number;
  /** How many windows later; 0 is the first one. */
  readonly period: number;
  readonly start: string;
  readonly state: State;
  /** Null where nobody knows. */
  readonly active: number | null;
  readonly share: number | null;
}

export interface RetentionReport extends Standing {
  readonly rows: readonly RetentionRow[];
}

/**
 * Counts, of those whose first call is in a window, how many are active in each later one.
 *
 * Takes  range: of the cohorts; they are followed to its end.
 * Holds  nobody is in two cohorts; period 0 is the whole cohort.
 */
export async function retentionReport(store: Store, question: EntityQuestion, now: Date): Promise<RetentionReport> {
  const presence = await readPresence(store.columns, question.range, now);
  const standing = presence.standing(question.range, 0n, 0n);
  const found = await activeWindows(store.columns, question);
  if (found === null) return { rows: [], ...standing };
  const cells = await store.columns.query<Record<'cohort' | 'place' | 'n', string>>(
    `SELECT cohort, place, count() AS n FROM (SELECT seen, seen[1] AS cohort FROM (${found.source.sql}))
     ARRAY JOIN seen AS place WHERE cohort >= {first:Int32} GROUP BY cohort, place`,
    { ...found.source.params, first: found.first },
  );
  const active = new Map(cells.map(({ cohort, place, n }) => [`${cohort} ${place}`, Number(n)]));
  return { rows: retentionRows(found, active, presence, question), ...standing };
}

function retentionRows(
  { windows, first }: ActiveWindows,
  active: ReadonlyMap<string, number>,
  presence: Presence,
  { range }: EntityQuestion,
): RetentionRow[] {
  const places = windows.map((_, place) => place).slice(first);
  const states = windows.map((window) => presence.stateOf(window, range));
  return places.flatMap((cohort) => {
    const size = active.get(`${cohort} ${cohort}`) ?? 0;
    if (size === 0) return [];
    return places
      .filter((place) => place >= cohort)
      .map((place): RetentionRow => {
        const state = states[place]!;
        const isKnown = state !== 'gap' && state !== 'future';
        const count = active.get(`${cohort} ${place}`) ?? 0;
        return {
          ...{ cohort: formatInstant(windows[cohort]!.fromMs), size, period: place - cohort },
          ...{ start: formatInstant(windows[place]!.fromMs), state },
          ...{ active: isKnown ? count : null, share: isKnown ? count / size : null },
        };
      });
  });
}
