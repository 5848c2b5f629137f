import { isUtf8 } from 'node:buffer';
import { fail, type Problem } from '../../model/index.ts';
import { checkEvent } from './check-event.ts';
import { afterSpace, deepestOf, itemsOf, type Span } from './json-spans.ts';
import type { MeterEvent } from './meter-event.ts';

/** What a sender said the body is: one event, a list of them, or either. */
export type EventForm = 'one' | 'batch' | 'either';

const MOST_EVENTS = 10_000;
const MOST_PROBLEMS = 1_000;
const DEEPEST = 34;

/**
 * Reads CloudEvents from a request body, all or none.
 *
 * Takes  nowMs: when they arrived; the time of those that have none.
 * Fails  BODY_MALFORMED, BODY_TOO_LARGE; EVENTS_INVALID with each thing that is wrong with any of them.
 * From   CloudEvents 1.0, JSON event format and JSON batch format.
 */
export function readEvents(body: Buffer, form: EventForm, nowMs: number): MeterEvent[] {
  const text = textOf(body);
  const parsed = parsedJson(text);
  const isBatch = Array.isArray(parsed);
  if (form === 'one' && isBatch) throw fail('BODY_MALFORMED', { reason: 'one event is expected, not a list' });
  if (form === 'batch' && !isBatch) throw fail('BODY_MALFORMED', { reason: 'a list of events is expected' });
  const values: readonly unknown[] = isBatch ? parsed : [parsed];
  if (values.length > MOST_EVENTS) throw fail('BODY_TOO_LARGE', { limitEvents: MOST_EVENTS });
  const start = afterSpace(text, 0);
  const spans: Iterable<Span> = isBatch ? itemsOf(text, start) : [{ from: start, to: text.length }];
  return checkAll(text, values, spans, isBatch, nowMs);
}

function checkAll(
  text: string,
  values: readonly unknown[],
  spans: Iterable<Span>,
  isBatch: boolean,
  nowMs: number,
): MeterEvent[] {
  const events: MeterEvent[] = [];
  const problems: Problem[] = [];
  let place = 0;
  for (const { from } of spans) {
    const prefix = isBatch ? `${place}.` : '';
    const checked = checkEvent(values[place], text, from, nowMs);
    if ('event' in checked) events.push(checked.event);
    else
      for (const { field, message } of checked.problems) {
        const path = `${prefix}${field}`.replace(/\.$/, '');
        problems.push({ message: path === '' ? message : `${path}: ${message}`, path });
      }
    place += 1;
  }
  if (problems.length > 0)
    throw fail('EVENTS_INVALID', { problems: problems.length }, problems.slice(0, MOST_PROBLEMS));
  return events;
}

function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw fail('BODY_MALFORMED', { reason: 'this is not UTF-8' });
  return body.toString('utf8');
}

function parsedJson(text: string): unknown {
  if (deepestOf(text) > DEEPEST) throw fail('BODY_MALFORMED', { reason: `nested deeper than ${DEEPEST} levels` });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw fail('BODY_MALFORMED', { reason: 'this is not JSON' }, [], cause);
  }
}
