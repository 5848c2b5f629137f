import type { RowWriter } from '../../store/index.ts';
import { RefusalCount } from '../refusal.ts';
import { type Labels, MOST_REMEMBERED, type Resource, resourceOf, sortedLabels } from '../samples.ts';
import { KnownBytes } from './known-bytes.ts';
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

/** Resources and sets of attributes by their bytes, over all requests: senders repeat them every minute. */
const resources = new KnownBytes<Resource>(5_000, 8 << 20);
const labelSets = new KnownBytes<Labels>(20_000, 8 << 20);
/** Metrics and series are remembered below their resources. */
const memory = { count: 0 };

/** All at once: what is remembered of one points into the others. */
function forgetTooMany(): void {
  if (!resources.isFull && !labelSets.isFull && memory.count < MOST_REMEMBERED) return;
  resources.clear();
  labelSets.clear();
  memory.count = 0;
}

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
    forgetTooMany();
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
    const resource = this.#resourceIn();
    reader.at = start;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 18) reader.message(() => this.#scopeMetrics(resource));
      else reader.skip(tag);
    }
  }

  #resourceIn(): Resource {
    const reader = this.#reader;
    let [parts, from, to] = [0, 0, 0];
    const start = reader.at;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) {
        parts += 1;
        to = reader.end();
        from = reader.at;
      }
      if (tag === 10) reader.at = to;
      else reader.skip(tag);
    }
    const decode = () => this.#decodedResource(start);
    return parts === 1 ? resources.of(reader.buffer, from, to, decode) : decode();
  }

  /** Takes  start: of the message around it. */
  #decodedResource(start: number): Resource {
    const reader = this.#reader;
    const labels: [string, string][] = [];
    reader.at = start;
    while (!reader.isDone) {
      const tag = reader.tag();
      if (tag === 10) reader.message(() => this.#resource(labels));
      else reader.skip(tag);
    }
    return resourceOf(labels, memory);
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
    const start = reader.at;
    // Where its attributes stand, which nearly always is one behind the other.
    let [from, to, isSplit] = [-1, -1, false];
    while (reader.at < end) {
      const at = reader.at;
      const tag = reader.tag();
      if (tag === tags.attributes) {
        if (from < 0) from = at;
        else if (at !== to) isSplit = true;
        to = reader.end();
        reader.at = to;
      } else if (tag === tags.flags) point.flags = reader.varint();
      else if (tag === 17) point.started = this.#instant();
      else if (tag === 25) point.at = this.#instant();
      else if (isNumber && tag === 33) point.value = reader.double();
      else if (isNumber && tag === 49) point.value = this.#whole();
      else if (!isNumber && tag === 33) point.count = this.#fixed64().toString();
      else if (!isNumber && tag === 41) point.value = reader.double();
      else reader.skip(tag);
    }
    // The tag in front of each attribute differs from kind to kind, so bytes of one kind are not those of another.
    if (isSplit) point.labels = this.#labels(start, end, tags.attributes);
    else if (from >= 0)
      point.labels = labelSets.of(reader.buffer, from, to, () => this.#labels(from, to, tags.attributes));
    reader.at = end;
    reader.limit = outer;
    return point;
  }

  /** Reads the attributes among the fields of buffer[from, to). */
  #labels(from: number, to: number, attributes: number): Labels {
    const reader = this.#reader;
    const outer = reader.limit;
    const labels: [string, string][] = [];
    reader.at = from;
    reader.limit = to;
    while (reader.at < to) {
      const tag = reader.tag();
      if (tag === attributes) this.#attribute(labels);
      else reader.skip(tag);
    }
    reader.limit = outer;
    return sortedLabels(labels);
  }

  #instant(): { low: number; high: number } {
    const reader = this.#reader;
    reader.fixed64();
    return { low: reader.low, high: reader.high };
  }

  /** A signed whole number: most are small, and doubles. */
  #whole(): number | string {
    const reader = this.#reader;
    reader.fixed64();
    if (reader.high < 2 ** 20) return reader.high * 2 ** 32 + reader.low;
    return BigInt.asIntN(64, (BigInt(reader.high) << 32n) | BigInt(reader.low)).toString();
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
