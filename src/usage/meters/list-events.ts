import type { ColumnStore } from '../../store/index.ts';
import type { Meter } from './meter.ts';
import { countsExpression, DOC, SqlParams } from './meter-sql.ts';

/** Which events to list. Times are milliseconds since 1970, the ends not included; what is absent does not matter. */
export interface EventsQuestion {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly ingestedFromMs?: number | undefined;
  readonly ingestedToMs?: number | undefined;
  /** A part of the id. */
  readonly id?: string | undefined;
  readonly subject?: string | undefined;
  readonly type?: string | undefined;
  readonly source?: string | undefined;
  readonly hasError?: boolean | undefined;
  readonly limit: number;
}

/** An event as it was sent, and what became of it. */
export interface ListedEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly dataschema: string;
  /** The JSON object as it was sent; empty without one. */
  readonly data: string;
  /** Which meters cannot read it, and why; empty where all can. */
  readonly validationError: string;
  readonly ingestedAt: string;
  readonly storedAt: string;
}

/**
 * Lists events, latest first, with what the meters of now make of them: a meter made later would make any verdict of then a wrong one.
 */
export function listEvents(
  columns: ColumnStore,
  meters: readonly Meter[],
  question: EventsQuestion,
): Promise<ListedEvent[]> {
  const params = new SqlParams();
  const { hasError } = question;
  const error = validationError(meters, params);
  const wanted = hasError === undefined ? '1' : `${hasError ? 'NOT ' : ''}empty(${error})`;
  return columns.query<ListedEvent>(
    `SELECT id, source, type, subject, ${shownTime('at')} AS time, dataschema, data, ${error} AS validationError,
      ${shownTime('ingested_at')} AS ingestedAt, ${shownTime('stored_at')} AS storedAt
    FROM (SELECT * EXCEPT time, time AS at, ${DOC} FROM events WHERE ${conditions(question, params)})
    WHERE ${wanted} ORDER BY at DESC, hash LIMIT ${params.add('UInt32', question.limit)}`,
    params.values,
  );
}

/** RFC 3339, with as many decimals as there are. */
function shownTime(column: string): string {
  return `concat(replaceRegexpOne(replaceOne(toString(${column}), ' ', 'T'), '\\\\.?0+$', ''), 'Z')`;
}

function conditions(question: EventsQuestion, params: SqlParams): string {
  const compare = <Value>(value: Value | undefined, condition: (value: Value) => string) =>
    value === undefined ? [] : [condition(value)];
  const equals = (name: 'subject' | 'type' | 'source') =>
    compare(question[name], (value) => `${name} = ${params.add('String', value)}`);
  return [
    '1',
    ...compare(question.fromMs, (ms) => `time >= ${params.addInstant(ms)}`),
    ...compare(question.toMs, (ms) => `time < ${params.addInstant(ms)}`),
    ...compare(question.ingestedFromMs, (ms) => `ingested_at >= ${params.addInstant(ms)}`),
    ...compare(question.ingestedToMs, (ms) => `ingested_at < ${params.addInstant(ms)}`),
    ...compare(question.id, (id) => `position(id, ${params.add('String', id)}) > 0`),
    ...[...equals('subject'), ...equals('type'), ...equals('source')],
  ].join(' AND ');
}

/** SQL over `type` and `doc`: the complaints of all meters that read this event and find no value in it. */
function validationError(meters: readonly Meter[], params: SqlParams): string {
  const complaints = meters
    .filter(({ spec }) => spec.aggregation !== 'COUNT')
    .map(({ slug, spec }) => {
      const what = spec.aggregation === 'UNIQUE_COUNT' ? 'is missing' : 'is missing or no number';
      const message = params.add('String', `meter ${slug}: ${spec.valueProperty} ${what}`);
      const isOf = `type = ${params.add('String', spec.eventType)}`;
      return `if(${isOf} AND NOT (${countsExpression(spec, params)}), ${message}, '')`;
    });
  if (complaints.length === 0) return "''";
  return `arrayStringConcat(arrayFilter(text -> text != '', [${complaints.join(', ')}]), '; ')`;
}
