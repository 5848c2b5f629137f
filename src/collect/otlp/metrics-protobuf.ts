import type { RowWriter } from '../../store/index.ts';
import { RefusalCount } from '../refusal.ts';
import { encodeSample, type Labels, SampleKind, sortedLabels, sourceOf } from '../samples.ts';
import { kindOfSum } from './metrics-json.ts';
import { MalformedMessage, ProtoReader } from './proto-reader.ts';
import type { Decoded } from './traces-protobuf.ts';

interface Point {
  at: { low: number; high: number };
  value: string;
  labels: [string, string][];
}

/**
 * Decodes an OTLP ExportMetricsServiceRequest into samples.
 *
 * Gives  how many points were written, and how many were refused, by reason. Histograms and summaries are refused.
 * Fails  MalformedMessage when the bytes are not such a message.
 * From   opentelemetry-proto, metrics/v1.
 */
export function decodeMetricsProtobuf(body: Buffer, writer: RowWriter): Decoded {
  const reader = new ProtoReader(body);
  const refused = new RefusalCount();
  let accepted = 0;
  each(reader, { 10: () => reader.message(() => (accepted += resourceMetrics(reader, writer, refused))) });
  return { accepted, refused };
}

type Fields = Record<number, () => void>;

/** Reads a message's fields: those named are handed on, the others passed over. */
function each(reader: ProtoReader, fields: Fields): void {
  while (!reader.isDone) {
    const tag = reader.tag();
    const read = fields[tag];
    if (read) read();
    else reader.skip(tag);
  }
}

function resourceMetrics(reader: ProtoReader, writer: RowWriter, refused: RefusalCount): number {
  const start = reader.at;
  const labels: [string, string][] = [];
  each(reader, {
    10: () => reader.message(() => each(reader, { 10: () => attribute(reader, labels) })),
  });
  const resource = sortedLabels(labels);
  reader.at = start;
  let accepted = 0;
  const metric = () => reader.message(() => (accepted += decodeMetric(reader, resource, writer, refused)));
  each(reader, { 18: () => reader.message(() => each(reader, { 18: metric })) });
  return accepted;
}

function decodeMetric(reader: ProtoReader, resource: Labels, writer: RowWriter, refused: RefusalCount): number {
  const points: Point[] = [];
  let name = '';
  let kind: SampleKind | null = null;
  each(reader, {
    10: () => (name = reader.text()),
    42: () => {
      kind = SampleKind.gauge;
      reader.message(() => each(reader, { 10: () => points.push(point(reader)) }));
    },
    58: () => {
      let temporality = 0;
      let isMonotonic = false;
      reader.message(() =>
        each(reader, {
          10: () => points.push(point(reader)),
          16: () => (temporality = reader.varint()),
          24: () => (isMonotonic = reader.varint() !== 0),
        }),
      );
      kind = kindOfSum(temporality, isMonotonic);
    },
  });
  if (kind === null) {
    refused.add('metric_type_unsupported');
    return 0;
  }
  const source = sourceOf(name, resource);
  let accepted = 0;
  for (const { at, value, labels } of points) {
    const refusal = encodeSample(writer, source, sortedLabels(labels), kind, at, value);
    if (refusal) refused.add(refusal);
    else accepted += 1;
  }
  return accepted;
}

function point(reader: ProtoReader): Point {
  const result: Point = { at: { low: 0, high: 0 }, value: '', labels: [] };
  reader.message(() =>
    each(reader, {
      25: () => {
        reader.fixed64();
        result.at = { low: reader.low, high: reader.high };
      },
      33: () => (result.value = String(reader.double())),
      49: () => {
        reader.fixed64();
        result.value = BigInt.asIntN(64, (BigInt(reader.high) << 32n) | BigInt(reader.low)).toString();
      },
      58: () => attribute(reader, result.labels),
    }),
  );
  return result;
}

function attribute(reader: ProtoReader, labels: [string, string][]): void {
  let key = '';
  let text: string | undefined;
  reader.message(() =>
    each(reader, {
      10: () => (key = reader.text()),
      18: () => reader.message(() => (text = scalar(reader))),
    }),
  );
  if (text !== undefined) labels.push([key, text]);
}

function scalar(reader: ProtoReader): string | undefined {
  let text: string | undefined;
  each(reader, {
    10: () => (text = reader.text()),
    16: () => (text = reader.varint() === 0 ? 'false' : 'true'),
    24: () => (text = reader.varintExact().toString()),
    33: () => (text = String(reader.double())),
  });
  if (reader.at > reader.limit) throw new MalformedMessage('a value is longer than its field');
  return text;
}
