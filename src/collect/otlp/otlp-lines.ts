import type { RowWriter } from '../../store/index.ts';
import { type MalformedLine, MOST_MALFORMED } from '../logs/take-lines.ts';
import { RefusalCount } from '../refusal.ts';
import type { SpanTable } from '../table/span-table.ts';
import { parseOtlpJson } from './json.ts';
import { MalformedMessage } from './proto-reader.ts';
import type { Decoded } from './traces-protobuf.ts';

/** By which field a line of OTLP/JSON is told. */
const signals = [
  { field: 'resourceMetrics', counted: 'samples' },
  { field: 'resourceSpans', counted: 'spans' },
  { field: 'resourceLogs', counted: 'lines' },
] as const;

/** What a line brings: work, metric points, or calls as log records. */
export type OtlpSignal = (typeof signals)[number]['counted'];

/**
 * Reads OTLP/JSON requests, one a line, traces, metrics and logs mixed, in their order.
 *
 * Takes  table, samples: where `decode` writes; what a malformed line left there is taken out again.
 */
export function readOtlpLines(
  text: string,
  table: SpanTable,
  samples: RowWriter,
  decode: (signal: OtlpSignal, body: Buffer) => Decoded,
): { accepted: Record<OtlpSignal, number>; refused: RefusalCount; malformed: MalformedLine[] } {
  const refused = new RefusalCount();
  const malformed: MalformedLine[] = [];
  const accepted = { spans: 0, samples: 0, lines: 0 };
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    const before = { rows: table.rows, bytes: samples.sizeBytes };
    try {
      const of = signalOf(line);
      if (of === undefined) throw new MalformedMessage('no OTLP traces, metrics or logs');
      const decoded = decode(of.counted, Buffer.from(line));
      accepted[of.counted] += decoded.accepted;
      for (const [reason, count] of decoded.refused.byReason) refused.add(reason, count);
    } catch (cause) {
      if (!(cause instanceof MalformedMessage)) throw cause;
      table.truncate(before.rows);
      samples.truncate(before.bytes);
      refused.add('line_malformed');
      if (malformed.length < MOST_MALFORMED)
        malformed.push({ line: index + 1, refusal: 'line_malformed', reason: cause.message });
    }
  });
  return { accepted, refused, malformed };
}

/** Most lines begin with the field; of the others all fields are looked at. */
function signalOf(line: string): (typeof signals)[number] | undefined {
  const first = /^\s*\{\s*"(\w{1,20})"/.exec(line)?.[1];
  const found = signals.find(({ field }) => field === first);
  if (found !== undefined) return found;
  const parsed = parseOtlpJson(Buffer.from(line));
  return signals.find(({ field }) => Object.hasOwn(parsed, field));
}
