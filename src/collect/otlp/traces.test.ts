import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decoderLaws, type Outcome, outcomeOf } from '../../../test/conformance/decoder-laws.ts';
import { protobufFromJson } from '../../../test/conformance/otlp-messages.ts';
import { traceRequests } from '../../../test/conformance/otlp-requests.ts';
import { SpanIntake } from './span-intake.ts';
import { decodeTracesJson } from './traces-json.ts';
import { decodeTracesProtobuf } from './traces-protobuf.ts';

function begun(): SpanIntake {
  const intake = new SpanIntake();
  intake.begin(Buffer.from('sender'));
  return intake;
}

function outcome(decode: typeof decodeTracesJson, body: Buffer): Outcome {
  return outcomeOf(() => {
    const intake = begun();
    const { accepted, refused } = decode(body, intake);
    const rows = accepted === 0 ? '' : intake.payload().toString('hex');
    return { accepted, refused: Object.fromEntries(refused.byReason), rows };
  });
}

function spanFrom(json: object | string) {
  const intake = begun();
  decodeTracesJson(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)), intake);
  const { table } = intake;
  const end = (BigInt(table.end[1]!) << 32n) + BigInt(table.end[0]!);
  return { service: table.texts.string(table.service[0]!), end, links: (table.links.get(0)?.length ?? 0) / 6 };
}

const fromProtobuf = (body: Buffer) => outcome(decodeTracesProtobuf, body);
const fromJson = (json: object) => outcome(decodeTracesJson, Buffer.from(JSON.stringify(json)));

decoderLaws('ExportTraceServiceRequest', traceRequests, fromProtobuf, fromJson);

it('messages of one kind that follow each other are one message', () => {
  fc.assert(
    fc.property(traceRequests, traceRequests, (one, other) => {
      const bytes = [one, other].map((request) => protobufFromJson('ExportTraceServiceRequest', request));
      const both = {
        resourceSpans: [one, other].flatMap((request) => (request as { resourceSpans: object[] }).resourceSpans),
      };
      expect(fromProtobuf(Buffer.concat(bytes))).toEqual(fromJson(both));
    }),
  );
});

describe('a damaged protobuf message', () => {
  it.each([
    ['cut in a tag', '80'],
    ['field number 0', '0000'],
    ['a field longer than its message', '0aff01'],
    ['a length of 64 bits', '0affffffffffffffffff01'],
    ['a number of eleven bytes', '08ffffffffffffffffffffff01'],
    ['a group', '0b0c'],
    ['wire type 7', '0f'],
    ['a span that ends behind its scope', '0a0412021210'],
    ['a fixed64 cut short', '0a08120612045939393939'],
  ])('%s is malformed', (_, hex) => {
    expect(fromProtobuf(Buffer.from(hex, 'hex'))).toBe('malformed');
  });

  it('100,000 messages inside one another are decoded or malformed, without a stack overflow', () => {
    let value: Buffer = Buffer.from('0a0178', 'hex');
    for (let depth = 0; depth < 20_000; depth++) value = field(1, field(1, value));
    const attribute = Buffer.concat([field(1, Buffer.from('service.name')), field(2, field(5, value))]);
    expect(fromProtobuf(field(1, field(1, field(1, attribute))))).toEqual({ accepted: 0, refused: {}, rows: '' });
  });
});

describe('fields in an order that encoders rarely use', () => {
  const service = Buffer.concat([field(2, field(1, Buffer.from('late'))), field(1, Buffer.from('service.name'))]);
  const resource = field(1, field(1, service));
  const time = Buffer.from('398000d17acd4a1618', 'hex');
  const span = Buffer.concat([time, field(2, Buffer.alloc(8, 2)), field(1, Buffer.alloc(16, 1))]);

  it('a resource behind its spans, and a value before its key, say the same', () => {
    const body = field(1, Buffer.concat([field(2, field(2, span)), resource]));
    const intake = begun();
    expect(decodeTracesProtobuf(body, intake).accepted).toBe(1);
    expect(intake.table.texts.string(intake.table.service[0]!)).toBe('late');
  });
});

const IDS = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const WHEN = { startTimeUnixNano: '1735689600123456789', endTimeUnixNano: '1735689600123456790' };
const withSpan = (span: object, resource: object = {}) => ({
  resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }],
});

describe('JSON as senders write it', () => {
  const plain = fromJson(withSpan({ ...IDS, ...WHEN, kind: 2, parentSpanId: '00f067aa0ba902b7' }));

  it.each([
    [
      'ids in capitals',
      { ...IDS, ...WHEN, kind: 2, parentSpanId: '00F067AA0BA902B7', traceId: IDS.traceId.toUpperCase() },
    ],
    ['an enum as its name', { ...IDS, ...WHEN, kind: 'SPAN_KIND_SERVER', parentSpanId: '00f067aa0ba902b7' }],
    ['unknown fields', { ...IDS, ...WHEN, kind: 2, parentSpanId: '00f067aa0ba902b7', news: { a: [1, null] } }],
    [
      'null for what is not there',
      {
        ...IDS,
        ...WHEN,
        kind: 2,
        parentSpanId: '00f067aa0ba902b7',
        attributes: null,
        links: null,
        status: null,
        name: null,
        traceState: null,
      },
    ],
  ])('%s', (_, span) => {
    expect(fromJson(withSpan(span))).toEqual(plain);
  });

  it('64-bit integers without quotes keep every digit', () => {
    const body = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"intValue": 9223372036854775807}}]},
      "scopeSpans":[{"spans":[{"traceId":"${IDS.traceId}","spanId":"${IDS.spanId}","kind":2,
      "startTimeUnixNano":1735689600123456789,"endTimeUnixNano" : 1735689600123456790}]}]}]}`;
    expect(spanFrom(body)).toMatchObject({ service: '9223372036854775807', end: 1735689600123456790n });
  });

  it('texts that look like such numbers stay texts', () => {
    const text = '"startTimeUnixNano":1735689600123456789,';
    const attributes = [{ key: 'service.name', value: { stringValue: text } }];
    expect(spanFrom(withSpan({ ...IDS, ...WHEN }, { attributes })).service).toBe(text);
  });

  it.each([
    ['a trace id of 15 bytes', { ...WHEN, ...IDS, traceId: '11'.repeat(15) }, 'trace_id_invalid'],
    ['a trace id of zeros', { ...WHEN, ...IDS, traceId: '00'.repeat(16) }, 'trace_id_invalid'],
    ['a trace id that is no hexadecimal', { ...WHEN, ...IDS, traceId: 'g'.repeat(32) }, 'trace_id_invalid'],
    ['no trace id', { ...WHEN, spanId: IDS.spanId }, 'trace_id_invalid'],
    ['a span id in base64', { ...WHEN, ...IDS, spanId: 't61rcWkgMzE=' }, 'span_id_invalid'],
    ['a parent id of 4 bytes', { ...WHEN, ...IDS, parentSpanId: '11111111' }, 'parent_id_invalid'],
    ['no start', { ...IDS, endTimeUnixNano: '1735689600123456790' }, 'time_invalid'],
    ['a start in 1999', { ...IDS, startTimeUnixNano: '946000000000000000' }, 'time_invalid'],
    ['a negative start', { ...IDS, startTimeUnixNano: '-5' }, 'time_invalid'],
    ['an end after 2200', { ...IDS, ...WHEN, endTimeUnixNano: '18446744073709551615' }, 'time_invalid'],
    ['a span of 105 days', { ...IDS, ...WHEN, endTimeUnixNano: '1744761600123456789' }, 'duration_too_long'],
  ])('%s is refused', (_, span, reason) => {
    expect(fromJson(withSpan(span))).toEqual({ accepted: 0, refused: { [reason]: 1 }, rows: '' });
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"resourceSpans":'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"resourceSpans"'],
    ['a number where a list belongs', '{"resourceSpans":5}'],
    ['texts where objects belong', '{"resourceSpans":["a"]}'],
    ['null where an object belongs', '{"resourceSpans":[null]}'],
    ['attributes that are no list', JSON.stringify(withSpan({ ...IDS, ...WHEN, attributes: { a: 1 } }))],
    ['links that are no list', JSON.stringify(withSpan({ ...IDS, ...WHEN, links: 'x' }))],
  ])('%s is malformed', (_, body) => {
    expect(outcome(decodeTracesJson, Buffer.from(body))).toBe('malformed');
  });
});

describe('JSON of any shape', () => {
  const hostile = fc.constantFrom<unknown>(
    { toString: 1, valueOf: 1 },
    { __proto__: null },
    [[[]]],
    true,
    1e300,
    -1,
    'x',
    null,
    {},
  );
  const field = fc.constantFrom(
    ...['traceId', 'spanId', 'parentSpanId', 'traceState', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano'],
    ...['attributes', 'links', 'status', 'events'],
  );

  it('one field of any other type is ignored, refused or malformed', () => {
    fc.assert(
      fc.property(field, fc.oneof(hostile, fc.jsonValue()), (name, value) => {
        fromJson(withSpan({ ...IDS, ...WHEN, kind: 2, name: 'x', [name]: value }));
      }),
      { numRuns: 1000 },
    );
  });

  it('so is one value of any other type in an attribute', () => {
    const inside = fc.constantFrom('stringValue', 'intValue', 'doubleValue', 'boolValue', 'kvlistValue', 'bytesValue');
    fc.assert(
      fc.property(inside, fc.oneof(hostile, fc.jsonValue()), (name, value) => {
        for (const key of ['service.name', 'http.status_code', value]) {
          const attributes = [
            { key, value: { [name]: value } },
            { key, value },
          ];
          fromJson(withSpan({ ...IDS, ...WHEN, attributes }, { attributes }));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['name', 'kind', 'traceState', 'startTimeUnixNano', 'events', 'attributes', 'links', 'status', 'traceId'])(
    '%s nested 100,000 deep does not overflow the stack',
    (name) => {
      const body = JSON.stringify(withSpan({ ...IDS, ...WHEN, [name]: 'HERE' }));
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        const deep = `${open.repeat(100_000)}1${close.repeat(100_000)}`;
        outcome(decodeTracesJson, Buffer.from(body.replace('"HERE"', deep)));
      }
    },
  );
});

describe('what a span keeps', () => {
  it('at most 1,000 links, from protobuf and from JSON alike', () => {
    const links = Array.from({ length: 1_500 }, () => ({ ...IDS }));
    const request = withSpan({ ...IDS, ...WHEN, kind: 5, links });
    expect(spanFrom(request).links).toBe(1_000);
    expect(fromProtobuf(protobufFromJson('ExportTraceServiceRequest', request))).toEqual(fromJson(request));
  });
});

/** One length-delimited field. */
function field(number: number, content: Buffer): Buffer {
  const head: number[] = [(number << 3) | 2];
  for (let rest = content.length; ; rest >>>= 7) {
    head.push(rest >= 0x80 ? (rest & 0x7f) | 0x80 : rest);
    if (rest < 0x80) break;
  }
  return Buffer.concat([Buffer.from(head), content]);
}
