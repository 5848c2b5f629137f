import { RefusalCount } from '../refusal.ts';
import { fillSlots } from './attribute-json.ts';
import { halvesOf, type JsonValue, listOf, parseOtlpJson } from './json.ts';
import type { LogRecords, RecordDraft } from './log-records.ts';
import type { DecodedLogs } from './logs-protobuf.ts';
import { MalformedMessage } from './proto-reader.ts';
import type { SpanIntake } from './span-intake.ts';
import { writeTime } from './traces-json.ts';

interface JsonRecord {
  timeUnixNano?: unknown;
  observedTimeUnixNano?: unknown;
  body?: JsonValue | null;
  attributes?: unknown;
  eventName?: unknown;
  spanId?: unknown;
}

/**
 * Decodes an OTLP/JSON ExportLogsServiceRequest into the same rows as its protobuf form, with identities of their own: they
 * come from what was sent.
 *
 * Fails  MalformedMessage when the body is not such a message.
 */
export function decodeLogsJson(body: Buffer, intake: SpanIntake, records: LogRecords): DecodedLogs {
  const refused = new RefusalCount();
  let [accepted, others] = [0, 0];
  records.begin();
  for (const resourceLogs of listOf<Record<string, unknown>>(parseOtlpJson(body).resourceLogs, 'resourceLogs')) {
    const { attributes } = (resourceLogs.resource ?? {}) as { attributes?: unknown };
    intake.resourceSlots.clear();
    fillSlots(intake.resourceSlots, intake.names, attributes);
    records.resource(textOf(attributes ?? []));
    for (const scopeLogs of listOf<Record<string, unknown>>(resourceLogs.scopeLogs, 'scopeLogs')) {
      for (const record of listOf<JsonRecord>(scopeLogs.logRecords, 'logRecords')) {
        const outcome = records.end(...begun(intake, record), textOf(record));
        if (outcome === 'call') accepted += 1;
        else if (outcome === 'other') others += 1;
        else refused.add(outcome);
      }
    }
  }
  return { accepted, refused, others };
}

function begun(intake: SpanIntake, record: JsonRecord): [row: number, draft: RecordDraft] {
  const name = Buffer.from(typeof record.eventName === 'string' ? record.eventName : '');
  const row = intake.beginSpan(name);
  intake.draft.nameEnd = name.length;
  writeTime(record.timeUnixNano, intake.table.start, row);
  fillSlots(intake.draft.attributes, intake.names, record.attributes);
  const observed = halvesOf(record.observedTimeUnixNano) ?? { low: 0, high: 0xffff_ffff };
  const text = record.body?.stringValue;
  const draft = {
    observedLow: observed.low,
    observedHigh: observed.high,
    hasSpan: typeof record.spanId === 'string' && record.spanId !== '',
    body: () => (typeof text === 'string' ? text : ''),
  };
  return [row, draft];
}

/** What was sent, however it was spaced. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    // What can be read at any depth cannot be written at any depth.
    if (cause instanceof RangeError) throw new MalformedMessage('values are nested too deep');
    throw cause;
  }
}
