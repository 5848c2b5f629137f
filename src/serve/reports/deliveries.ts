import { createHash } from 'node:crypto';
import type { ReportTarget } from '../../advise/index.ts';
import { formatInstant, type TimeRange } from '../../model/index.ts';
import type { DocumentStore, StoredReportDelivery } from '../../store/index.ts';
import type { Outcome } from './outcome.ts';

/** Who sends has so long before it is taken for dead, and another one sends. */
const DEAD_AFTER_MS = 10 * 60_000;
const FIRST_REST_MS = 60_000;
const LONGEST_REST_MS = 3_600_000;
/** After so long nobody waits for it any more. */
const GIVE_UP_AFTER_MS = 24 * 3_600_000;

/**
 * The record of what was sent: of a schedule, a period and a target there is one row, whoever writes it and how often.
 *
 * The order, and what a crash leaves:
 *   1. the row, waiting    whoever comes next sends it
 *   2. the row, sending    for ten minutes nobody else sends it; then it is sent again, under the same id
 *   3. it is sent          as after 2: the receiver can tell by the id that it has it already
 *   4. the row, sent       done
 */
export class Deliveries {
  readonly #documents: DocumentStore;

  constructor(documents: DocumentStore) {
    this.#documents = documents;
  }

  /** Writes rows for the targets of a period, those that are not there. Gives the ids of them all. */
  async add(schedule: string, period: TimeRange, targets: readonly ReportTarget[], nowMs: number): Promise<string[]> {
    for (const target of targets) {
      await this.#documents
        .insertInto('report_delivery')
        .values({
          ...{ id: deliveryId(schedule, period, target), schedule },
          ...{ period_start: formatInstant(period.fromMs), period_end: formatInstant(period.toMs) },
          ...{ target: JSON.stringify(target), shown: shownTarget(target), state: 'waiting', attempts: 0 },
          ...{ made_at: stamp(nowMs), next_at: stamp(nowMs), sent_at: null, error: '' },
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
    }
    return targets.map((target) => deliveryId(schedule, period, target));
  }

  /** Gives what is to be sent now, and what somebody began to send and never ended; oldest first. */
  due(nowMs: number): Promise<StoredReportDelivery[]> {
    return this.#documents
      .selectFrom('report_delivery')
      .selectAll()
      .where('state', 'in', ['waiting', 'sending'])
      .where('next_at', '<=', stamp(nowMs))
      .orderBy('made_at')
      .orderBy('id')
      .limit(100)
      .execute();
  }

  /** Takes a delivery for oneself. Gives whether it was got: of several who ask one does. */
  async claim({ id, state, attempts }: StoredReportDelivery, nowMs: number): Promise<boolean> {
    const { numUpdatedRows } = await this.#documents
      .updateTable('report_delivery')
      .set({ state: 'sending', attempts: attempts + 1, next_at: stamp(nowMs + DEAD_AFTER_MS) })
      .where('id', '=', id)
      .where('state', '=', state)
      .where('attempts', '=', attempts)
      .executeTakeFirst();
    return Number(numUpdatedRows) === 1;
  }

  /** Writes what became of an attempt. Gives the new state. */
  async ended({ id, attempts, made_at }: StoredReportDelivery, outcome: Outcome, nowMs: number) {
    const rest = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** attempts);
    const isOver = outcome?.isFinal === true || nowMs + rest > Date.parse(made_at) + GIVE_UP_AFTER_MS;
    const state = outcome === null ? 'sent' : isOver ? 'failed' : 'waiting';
    await this.#documents
      .updateTable('report_delivery')
      .set({
        ...{ state, error: outcome?.reason ?? '', next_at: stamp(nowMs + rest) },
        ...(outcome === null ? { sent_at: stamp(nowMs) } : {}),
      })
      .where('id', '=', id)
      .where('state', '=', 'sending')
      .where('attempts', '=', attempts + 1)
      .execute();
    return state;
  }

  /** Makes those that were not sent wait no longer; with `again` those that were as well. Gives how many. */
  async wake(ids: readonly string[], again: boolean, nowMs: number): Promise<number> {
    const { numUpdatedRows } = await this.#documents
      .updateTable('report_delivery')
      .set({ state: 'waiting', made_at: stamp(nowMs), next_at: stamp(nowMs) })
      .where('id', 'in', ids)
      .where('state', 'in', again ? ['waiting', 'failed', 'sent'] : ['waiting', 'failed'])
      .executeTakeFirst();
    return Number(numUpdatedRows);
  }

  /** In the order of their targets. */
  of(ids: readonly string[]): Promise<StoredReportDelivery[]> {
    return this.#documents
      .selectFrom('report_delivery')
      .selectAll()
      .where('id', 'in', ids)
      .orderBy('shown')
      .orderBy('id')
      .execute();
  }

  /** The newest of every schedule, newest periods first. */
  newest(most: number): Promise<StoredReportDelivery[]> {
    return this.#documents
      .selectFrom('report_delivery')
      .selectAll()
      .orderBy('period_start', 'desc')
      .orderBy('schedule')
      .orderBy('id')
      .limit(most)
      .execute();
  }
}

/** All of the same length, so that they are ordered as texts. */
function stamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** The same for the same schedule, period and target, wherever and whenever it is worked out. */
function deliveryId(schedule: string, { fromMs, toMs }: TimeRange, target: ReportTarget): string {
  const what = JSON.stringify([schedule, fromMs, toMs, target]);
  return `rpt_${createHash('sha256').update(what).digest('hex').slice(0, 40)}`;
}

function shownTarget({ mail, webhook, file }: ReportTarget): string {
  if (mail) return `mail to ${mail.join(', ')}`;
  // A part of an address behind its host may be what opens it.
  if (webhook) return `webhook at ${new URL(webhook.url).host}`;
  return `file as ${file}`;
}
