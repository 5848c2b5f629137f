import { formatInstant, type TimeRange } from '../../model/index.ts';
import type { Store } from '../../store/index.ts';
import { cutFor, DAY_MS, SLOT_MS } from '../rollups/cuts.ts';
import { readPresence, type Standing } from './freshness.ts';

export interface ActivationQuestion {
  /** Tenants whose first call is in it. */
  readonly range: TimeRange;
  /** How many successful calls make a tenant an active one. */
  readonly successes: number;
  /** Instead, the type of an event that does; empty for none. */
  readonly valueEvent: string;
  /** The type of the event that says that somebody signed up; empty for none. */
  readonly signUpEvent: string;
}

/** Instants are those of the quarter of an hour in which it was. Null where it has not been, or nobody said. */
export interface ActivationRow {
  readonly tenant: string;
  readonly signedUp: string | null;
  readonly firstCall: string;
  readonly firstSuccess: string | null;
  readonly activated: string | null;
  readonly secondsToFirstCall: number | null;
  readonly secondsToFirstSuccess: number | null;
  readonly secondsToActivation: number | null;
}

export interface ActivationReport extends Standing {
  readonly tenants: number;
  readonly succeeded: number;
  readonly activated: number;
  readonly medianSecondsToFirstSuccess: number | null;
  readonly medianSecondsToActivation: number | null;
  readonly rows: readonly ActivationRow[];
}

interface Milestones {
  tenant: string;
  first: string;
  success: string;
  active: string;
}

/**
 * Says when tenants that are new in a range made their first call, the first that succeeded, and enough of them.
 *
 * Takes  valueEvent, signUpEvent: types of events whose subject is a tenant.
 * Gives  a row for each tenant whose first call of all is in the range, in the order of that.
 * Holds  firstCall <= firstSuccess <= activated, where that is by calls.
 */
export async function activationReport(
  store: Store,
  question: ActivationQuestion,
  now: Date,
): Promise<ActivationReport> {
  const presence = await readPresence(store.columns, question.range, now);
  const found = await readMilestones(store, question);
  const [values, signUps] = [
    await firstEvents(store, question.valueEvent),
    await firstEvents(store, question.signUpEvent),
  ];
  const isByEvent = question.valueEvent !== '';
  const rows = found
    .map((each): ActivationRow => {
      const [first, success] = [instant(each.first)!, instant(each.success)];
      const active = isByEvent ? (values.get(each.tenant) ?? null) : instant(each.active);
      const signedUp = signUps.get(each.tenant) ?? null;
      return {
        ...{
          tenant: each.tenant,
          signedUp: shown(signedUp),
          firstCall: formatInstant(first),
          firstSuccess: shown(success),
        },
        activated: shown(active),
        secondsToFirstCall: between(signedUp, first),
        secondsToFirstSuccess: between(first, success),
        secondsToActivation: between(signedUp ?? first, active),
      };
    })
    .sort((a, b) => (a.firstCall < b.firstCall ? -1 : a.firstCall > b.firstCall ? 1 : a.tenant < b.tenant ? -1 : 1));
  return {
    tenants: rows.length,
    succeeded: rows.filter(({ firstSuccess }) => firstSuccess !== null).length,
    activated: rows.filter(({ activated }) => activated !== null).length,
    medianSecondsToFirstSuccess: median(rows.map((row) => row.secondsToFirstSuccess)),
    medianSecondsToActivation: median(rows.map((row) => row.secondsToActivation)),
    rows,
    ...presence.standing(question.range, 0n, 0n),
  };
}

const day = cutFor('day', new Set(['tenant']))!;
const slot = cutFor('slot', new Set(['tenant']))!;

/**
 * First by days, of which there are few, and of those tenants only whose calls do not begin before the range; then by quarters of an
 * hour, only on the days on which something happened.
 */
function readMilestones({ columns }: Store, { range, successes }: ActivationQuestion): Promise<Milestones[]> {
  const sums = (cut: number, further: string) =>
    `SELECT tenant, day, toUnixTimestamp(slot) AS at, sum(calls) AS n, sum(calls) - sum(errors) AS good
     FROM usage_rollup WHERE marker = 0 AND cut = ${cut} AND tenant != '(unknown)' AND ${further} GROUP BY tenant, day, at`;
  // Who has calls before the range in all had calls on a day before it.
  const young = `SELECT tenant FROM usage_rollup WHERE marker = 0 AND cut = ${day.id} AND day < toDate({end:Int32})
    GROUP BY tenant HAVING max(day) >= toDate({begin:Int32}) AND sumIf(calls, day < toDate({begin:Int32})) <= 0`;
  const milestones = [
    'minIf(at, n > 0)',
    'minIf(at, n > 0 AND good > 0)',
    'minIf(at, n > 0 AND so_far >= {enough:Int128})',
  ];
  const days = `SELECT tenant, arrayJoin(arrayFilter(d -> has([${milestones.join(', ')}], toUnixTimestamp(toDateTime(d.1, 'UTC'))), groupArray((day, good_before)))) AS d
    FROM (SELECT *, sum(good) OVER w - good AS good_before, sum(if(n > 0, good, 0)) OVER w AS so_far
      FROM (${sums(day.id, `tenant IN (${young})`)}) WINDOW w AS (PARTITION BY tenant ORDER BY at))
    GROUP BY tenant HAVING minIf(at, n > 0) >= {from:Int64} - ${DAY_MS / 1000} AND minIf(at, n > 0) < {to:Int64} AND countIf(n > 0) > 0`;
  return columns.query<Milestones>(
    `WITH days AS (SELECT tenant, d.1 AS day, d.2 AS good_before FROM (${days}))
     SELECT tenant, toString(min(at)) AS first, toString(minIf(at, good > 0)) AS success, toString(minIf(at, good_before + so_far >= {enough:Int128})) AS active
     FROM (
       SELECT s.tenant AS tenant, s.at AS at, s.good AS good, s.so_far AS so_far, days.good_before AS good_before
       FROM (SELECT *, sum(good) OVER (PARTITION BY tenant, day ORDER BY at) AS so_far
         FROM (${sums(slot.id, '(day, tenant) IN (SELECT day, tenant FROM days)')} HAVING n > 0)) AS s
       JOIN days ON days.tenant = s.tenant AND days.day = s.day
     ) GROUP BY tenant HAVING min(at) >= {from:Int64} AND min(at) < {to:Int64}`,
    {
      from: Math.floor(range.fromMs / SLOT_MS) * (SLOT_MS / 1000),
      to: Math.ceil(range.toMs / SLOT_MS) * (SLOT_MS / 1000),
      begin: Math.floor(range.fromMs / DAY_MS),
      end: Math.ceil(range.toMs / DAY_MS),
      enough: String(BigInt(successes) * 1_000_000n),
    },
  );
}

/** The first event of a type, by subject. */
async function firstEvents({ columns }: Store, type: string): Promise<Map<string, number>> {
  if (type === '') return new Map();
  const rows = await columns.query<{ subject: string; at: string }>(
    'SELECT subject, toUnixTimestamp64Milli(min(time)) AS at FROM events WHERE type = {type:String} GROUP BY subject',
    { type },
  );
  return new Map(rows.map(({ subject, at }) => [subject, Number(at)]));
}

function instant(seconds: string): number | null {
  return seconds === '0' ? null : Number(seconds) * 1000;
}

function shown(at: number | null): string | null {
  return at === null ? null : formatInstant(at);
}

function between(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : Math.round((to - from) / 1000);
}

function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2;
}
