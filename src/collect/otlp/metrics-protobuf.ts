import type { RowWriter } from '../../store/index.ts';
import { RefusalCount } from '../refusal.ts';
import { type Resource, resourceOf } from '../samples.ts';
import { type Metric, type MetricData, newPoint, type Point, writeMetric } from './metric-points.ts';
import { ProtoReader } from './proto-reader.ts';
import type { Decoded } from './traces-protobuf.ts';

/**
 * Decodes an OTLP ExportMetricsServiceRequest into samples.
 *
 * Gives  how many samples were written, and how many points were refused, by reason. Summaries are refused.
 * Fails  MalformedMessage when the bytes are not such a message.
 * From   opentelemetry-proto, metrics/v1.
 */
export function decodeMetricsProtobuf(body: Buffer, writer: RowWriter): Decoded {
  return new MetricsDecoder(body, writer).decode();
}

/** Fields of a Metric: which data they hold. */
const dataTags: Readonly<Record<number, MetricData>> = {
  42: 'gauge',
  58: 'sum',
  74: 'histogram',
  82: 'histogram',
  90: 'summary',
};
const EXPONENTIAL_HISTOGRAM = 82;
/** Where a point has its attributes and flags; all else has the same place in every kind of point. */
const numberTags = { attributes: 58, flags: 64 };
const histogramTags = { attributes: 74, flags: 80 };
const exponentialTags = { attributes: 10, flags: 80 };

class MetricsDecoder {
  readonly #reader: ProtoReader;
  readonly #writer: RowWriter;
  readonly #refused = new RefusalCount();
  #accepted = 0;

  constructor(body: Buffer, writer: RowWriter) {
    this.#reader = new ProtoReader(body);
    this.#writer = writer;
  }

  decode(): Decoded {
    const reader = this.#reader;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) reader.message(() => this.#resourceMetrics());
      else reader.skip(tag);
    }
    return { accepted: this.#accepted, refused: this.#refused };
  }

  /** The resource may stand behind its metrics on the wire, so it is read first. */
  #resourceMetrics(): void {
    const reader = this.#reader;
    const start = reader.at;
    const labels: [string, string][] = [];
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) reader.message(() => this.#resource(labels));
      else reader.skip(tag);
    }
    const resource = resourceOf(labels);
    reader.at = start;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 18) reader.message(() => this.#scopeMetrics(resource));
      else reader.skip(tag);
    }
  }

  #resource(labels: [string, string][]): void {
    const reader = this.#reader;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) this.#attribute(labels);
      else reader.skip(tag);
    }
  }

  #scopeMetrics(resource: Resource): void {
    const reader = this.#reader;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 18) reader.message(() => this.#metric(resource));
      else reader.skip(tag);
    }
  }

  /** A message may stand there in pieces, which are one; of several kinds of data the last one counts. */
  #metric(resource: Resource): void {
    const reader = this.#reader;
    const metric: Metric = { name: '', data: null, temporality: 0, isMonotonic: false, points: [] };
    let dataTag = 0;
    while (!reader.isDone) {
      const tag = reader.tag();
      const data = dataTags[tag];
      if (tag === 10) metric.name = reader.text();
      else if (data === undefined) reader.skip(tag);
      else {
        if (tag !== dataTag) Object.assign(metric, { data, temporality: 0, isMonotonic: false, points: [] });
        dataTag = tag;
        reader.message(() => this.#data(metric, tag));
      }
    }
    this.#accepted += writeMetric(this.#writer, metric, resource, this.#refused);
  }

  #data(metric: Metric, dataTag: number): void {
    const reader = this.#reader;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10 && metric.data === 'summary') reader.skip(tag);
      else if (tag === 10) metric.points.push(this.#point(dataTag));
      else if (tag === 16 && metric.data !== 'gauge') metric.temporality = reader.varint();
      else if (tag === 24 && metric.data === 'sum') metric.isMonotonic = reader.varint() !== 0;
      else reader.skip(tag);
    }
  }

  #point(dataTag: number): Point {
    const reader = this.#reader;
    const isNumber = dataTag === 42 || dataTag === 58;
    const tags = isNumber ? numberTags : dataTag === EXPONENTIAL_HISTOGRAM ? exponentialTags : histogramTags;
    const point = newPoint();
    const outer = reader.limit;
    const end = reader.end();
    reader.limit = end;
    while (reader.at < end) {
      const tag = reader.tag();
      if (tag === tags.attributes) this.#attribute(point.labels);
      else if (tag === tags.flags) point.flags = reader.varint();
      else if (tag === 17) point.started = this.#instant();
      else if (tag === 25) point.at = this.#instant();
      else if (isNumber && tag === 33) point.value = String(reader.double());
      else if (isNumber && tag === 49) point.value = BigInt.asIntN(64, this.#fixed64()).toString();
      else if (!isNumber && tag === 33) point.count = this.#fixed64().toString();
      else if (!isNumber && tag === 41) point.value = String(reader.double());
      else reader.skip(tag);
    }
    reader.limit = outer;
    return point;
  }

  #instant(): { low: number; high: number } {
    const reader = this.#reader;
    reader.fixed64();
    return { low: reader.low, high: reader.high };
  }

  #fixed64(): bigint {
    const reader = this.#reader;
    reader.fixed64();
    return (BigInt(reader.high) << 32n) | BigInt(reader.low);
  }

  #attribute(labels: [string, string][]): void {
    const reader = this.#reader;
    const outer = reader.limit;
    const end = reader.end();
    reader.limit = end;
    let key = '';
    let text: string | undefined;
    while (reader.at < end) {
      const tag = reader.tag();
      if (tag === 10) key = reader.text();
      else if (tag === 18) text = this.#scalar(text);
      else reader.skip(tag);
    }
    if (text !== undefined) labels.push([key, text]);
    reader.limit = outer;
  }

  /** The text of a value; lists and maps have none. */
  #scalar(before: string | undefined): string | undefined {
    const reader = this.#reader;
    const outer = reader.limit;
    const end = reader.end();
    reader.limit = end;
    let text = before;
    while (reader.at < end) {
      const tag = reader.tag();
      if (tag === 10) text = reader.text();
      else if (tag === 16) text = reader.varint() === 0 ? 'false' : 'true';
      else if (tag === 24) text = reader.varintExact().toString();
      else if (tag === 33) text = String(reader.double());
      else {
        if (tag === 42 || tag === 50 || tag === 58) text = undefined;
        reader.skip(tag);
      }
    }
    reader.limit = outer;
    return text;
  }
}
