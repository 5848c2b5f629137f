import { join } from 'node:path';
import {
  type ComposedReport,
  composeReport,
  duePeriod,
  nextDueMs,
  pageOf,
  periodFrom,
  type ReportScheduleSpec,
  type ReportTarget,
  reportHtml,
  reportText,
} from '../../advise/index.ts';
import { fail, formatInstant, type TimeRange } from '../../model/index.ts';
import { newestOf, type Store, type StoredReportDelivery } from '../../store/index.ts';
import { dateOf, windowStart } from '../../usage/index.ts';
import { costsByDay, costsOfCalls } from '../routes/usage-costs.ts';
import { Deliveries } from './deliveries.ts';
import { type MailSettings, sendMail } from './mail.ts';
import { type Outcome, unsent } from './outcome.ts';
import { reachableAddresses } from './reach.ts';
import { writeReport } from './report-file.ts';
import { postWebhook } from './webhook.ts';

export interface ReportSettings {
  readonly mail: MailSettings;
  /** By the names that documents have for them. */
  readonly webhookSecrets: ReadonlyMap<string, string>;
  /** Networks that webhooks may go to although they are usually closed to them. */
  readonly webhookAllow: string;
}

export interface ReportDeps {
  readonly store: Store;
  /** The data folder. */
  readonly folder: string;
  readonly settings: ReportSettings;
  readonly now: () => Date;
  readonly log: Record<'info' | 'warn' | 'error', (message: string, facts: Record<string, unknown>) => void>;
}

interface Schedule {
  readonly name: string;
  readonly spec: ReportScheduleSpec;
  /** When this version was applied: what was due before is not its business. */
  readonly sinceMs: number;
}

export type ReportForm = 'text' | 'html' | 'json';

const LOOK_EVERY_MS = 30_000;
const MOST_LISTED = 1_000;

/**
 * Scheduled reports: what is due is written down, put together, and sent to each target once.
 *
 *   look()   schedules -> the newest period that is due -> one row for each target (deliveries.ts)
 *   send     rows that wait -> claimed -> composed (advise) -> mail, webhook or file -> sent, or waiting again, or failed
 *
 * Holds  of a schedule, a period and a target there is one delivery, also over restarts, crashes and several servers. A crash between
 *        sending and writing that down sends again, under the same id.
 */
export class Reports {
  readonly #deps: ReportDeps;
  readonly #deliveries: Deliveries;
  /** Since the start, by what became of attempts. */
  readonly counts = { sent: 0, waiting: 0, failed: 0 };
  #turn: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(deps: ReportDeps) {
    this.#deps = deps;
    this.#deliveries = new Deliveries(deps.store.documents);
  }

  /** Looks at once and twice a minute from then on. */
  start(): void {
    if (this.#isStopped) return;
    this.look()
      .catch((cause: unknown) =>
        this.#deps.log.warn('scheduled reports could not be looked at', { reason: wordsOf(cause) }),
      )
      .finally(() => {
        if (this.#isStopped) return;
        this.#timer = setTimeout(() => this.start(), LOOK_EVERY_MS);
        this.#timer.unref();
      });
  }

  /** Ends after the sending that is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#turn;
  }

  /** Writes down what is due and sends what waits. Gives how many were sent. */
  look(): Promise<number> {
    return this.#inTurn(async () => {
      const nowMs = this.#deps.now().getTime();
      const schedules = await this.#schedules();
      for (const { name, spec, sinceMs } of schedules.values()) {
        if (!spec.enabled) continue;
        const { period, dueMs } = duePeriod(spec, nowMs);
        if (dueMs >= sinceMs) await this.#deliveries.add(name, period, targetsOf(spec), nowMs);
      }
      return this.#sendAll(await this.#deliveries.due(nowMs), schedules);
    });
  }

  /** What is reported, when next, and what became of the last reports. */
  async list() {
    const nowMs = this.#deps.now().getTime();
    const deliveries = await this.#deliveries.newest(MOST_LISTED);
    return [...(await this.#schedules()).values()].map(({ name, spec }) => ({
      ...{ name, every: spec.every, timeZone: spec.timeZone, parts: spec.parts, enabled: spec.enabled },
      next: spec.enabled ? formatInstant(nextDueMs(spec, nowMs)) : null,
      deliveries: deliveries.filter(({ schedule }) => schedule === name).map(shownDelivery),
    }));
  }

  /** Puts a report together without sending it. Takes  from: the first day of its period; the newest that is over without it. */
  async preview(name: string, from: string | undefined, form: ReportForm): Promise<string> {
    const schedule = await this.#schedule(name);
    return written(await this.#compose(schedule, periodOf(schedule.spec, from, this.#deps.now())), form);
  }

  /**
   * Sends a report now: to those targets that it did not reach; with `again` to all, under the same ids. By hand also what is disabled.
   *
   * Holds  what was sent to targets that the schedule had once stays as it was: nobody sends to them any more.
   * Fails  NOT_FOUND; PARAMETER_INVALID for a period that is not over; REPORT_UNSENT with what went wrong at each target.
   */
  async send(name: string, from: string | undefined, again: boolean) {
    const schedule = await this.#schedule(name);
    const period = periodOf(schedule.spec, from, this.#deps.now());
    const asked = { ...schedule, spec: { ...schedule.spec, enabled: true } };
    const { sent, ids } = await this.#inTurn(async () => {
      const nowMs = this.#deps.now().getTime();
      const ids = await this.#deliveries.add(name, period, targetsOf(schedule.spec), nowMs);
      await this.#deliveries.wake(ids, again, nowMs);
      const waiting = (await this.#deliveries.of(ids)).filter(({ state }) => state === 'waiting');
      return { ids, sent: await this.#sendAll(waiting, new Map([[name, asked]])) };
    });
    const deliveries = (await this.#deliveries.of(ids)).map(shownDelivery);
    const problems = deliveries.flatMap(({ target, state, error }) =>
      state === 'sent' ? [] : [{ message: `${target}: ${error || state}` }],
    );
    if (problems.length > 0) throw fail('REPORT_UNSENT', { schedule: name }, problems);
    return { sent, deliveries };
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #schedules(): Promise<Map<string, Schedule>> {
    const newest = await newestOf(this.#deps.store.documents, 'ReportSchedule');
    newest.sort((a, b) => (a.name < b.name ? -1 : 1));
    return new Map(
      newest.map(({ name, body, applied_at }) => {
        const spec = JSON.parse(body) as ReportScheduleSpec;
        return [name, { name, spec, sinceMs: Date.parse(applied_at) }];
      }),
    );
  }

  async #schedule(name: string): Promise<Schedule> {
    const schedule = (await this.#schedules()).get(name);
    if (schedule === undefined) throw fail('NOT_FOUND', { schedule: name.slice(0, 100) });
    return schedule;
  }

  async #sendAll(rows: readonly StoredReportDelivery[], schedules: ReadonlyMap<string, Schedule>): Promise<number> {
    const composed = new Map<string, Promise<ComposedReport>>();
    let sent = 0;
    for (const row of rows) {
      if (this.#isStopped) break;
      if (!(await this.#deliveries.claim(row, this.#deps.now().getTime()))) continue;
      const outcome = await this.#attempt(row, schedules.get(row.schedule), composed);
      const state = await this.#deliveries.ended(row, outcome, this.#deps.now().getTime());
      this.counts[state]++;
      if (state === 'sent') sent++;
      this.#tell(row, state, outcome);
    }
    return sent;
  }

  #tell(
    { schedule, period_start: period, shown: target }: StoredReportDelivery,
    state: 'sent' | 'waiting' | 'failed',
    outcome: Outcome,
  ): void {
    const facts = { schedule, period, target, ...(outcome === null ? {} : { reason: outcome.reason }) };
    const { log } = this.#deps;
    if (state === 'sent') log.info('a report was sent', facts);
    else if (state === 'waiting') log.warn('a report could not be sent; it will be tried again', facts);
    else log.error('a report could not be sent and is given up', facts);
  }

  /** Whatever goes wrong with one report must not hold up the others. */
  async #attempt(
    row: StoredReportDelivery,
    schedule: Schedule | undefined,
    composed: Map<string, Promise<ComposedReport>>,
  ): Promise<Outcome> {
    const isWanted =
      schedule?.spec.enabled && targetsOf(schedule.spec).some((target) => JSON.stringify(target) === row.target);
    if (!schedule || !isWanted) return unsent('the schedule no longer names this target', true);
    try {
      const period = { fromMs: Date.parse(row.period_start), toMs: Date.parse(row.period_end) };
      const key = `${row.schedule} ${row.period_start} ${row.period_end}`;
      const report = composed.get(key) ?? this.#compose(schedule, period);
      composed.set(key, report);
      return await this.#deliver(row.id, JSON.parse(row.target) as ReportTarget, await report);
    } catch (cause) {
      return unsent(`it could not be put together: ${wordsOf(cause)}`);
    }
  }

  #compose({ name, spec }: Schedule, period: TimeRange): Promise<ComposedReport> {
    const { store, now } = this.#deps;
    const deps = { store, costsByDay: costsByDay(store), costsOfCalls: costsOfCalls(store) };
    return composeReport(deps, name, spec, period, now());
  }

  async #deliver(id: string, { mail, webhook, file }: ReportTarget, report: ComposedReport): Promise<Outcome> {
    const { settings, folder, now } = this.#deps;
    if (mail) {
      const page = pageOf(report);
      const texts = { subject: page.title, text: reportText(page), html: reportHtml(page) };
      return sendMail(settings.mail, { id, to: mail[0]!, ...texts });
    }
    if (webhook) {
      const secret = webhook.secret === undefined ? undefined : settings.webhookSecrets.get(webhook.secret);
      if (webhook.secret !== undefined && secret === undefined)
        return unsent(`TAXIMETER_WEBHOOK_SECRETS has no ${webhook.secret}`);
      const body = JSON.stringify({ type: 'taximeter.report', timestamp: report.freshness.asOf, data: report });
      const mayReach = reachableAddresses(settings.webhookAllow);
      return postWebhook({ url: webhook.url, id, body, secret, nowMs: now().getTime(), mayReach });
    }
    const first = dateOf(Date.parse(report.period.from), report.timeZone);
    const ending = { html: 'html', text: 'txt', json: 'json' }[file!];
    return writeReport(join(folder, 'reports'), `${report.schedule}-${first}.${ending}`, written(report, file!));
  }
}

/** Where a report goes, one by one: each address of a mail takes it, or is tried again, by itself. */
function targetsOf({ to }: ReportScheduleSpec): ReportTarget[] {
  const each = to.flatMap((target) => target.mail?.map((address): ReportTarget => ({ mail: [address] })) ?? [target]);
  return [...new Map(each.map((target) => [JSON.stringify(target), target])).values()];
}

/** The period that begins at a day, or the newest that is over. */
function periodOf(spec: ReportScheduleSpec, from: string | undefined, now: Date): TimeRange {
  const toMs = windowStart(now.getTime(), spec.every, spec.timeZone);
  if (from === undefined) return { fromMs: windowStart(toMs - 1, spec.every, spec.timeZone), toMs };
  const period = periodFrom(spec, from);
  if (period === null)
    throw fail('PARAMETER_INVALID', { reason: `no ${spec.every} of this schedule begins on ${from.slice(0, 40)}` });
  if (period.toMs > now.getTime())
    throw fail('PARAMETER_INVALID', { reason: `the period from ${from} on is not over` });
  return period;
}

function written(report: ComposedReport, form: ReportForm): string {
  if (form === 'json') return `${JSON.stringify(report, null, 2)}\n`;
  const page = pageOf(report);
  return form === 'html' ? reportHtml(page) : reportText(page);
}

function shownDelivery(row: StoredReportDelivery) {
  const { id, period_start, period_end, shown: target, state, attempts, sent_at: sentAt, error } = row;
  return { id, period: { from: period_start, to: period_end }, target, state, attempts, sentAt, error };
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
