import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../model/index.ts';
import { deepestOf, memberOf, withExactNumbers } from './json-spans.ts';
import { eventHash } from './meter-event.ts';
import { type EventForm, readEvents } from './read-events.ts';

const now = Date.UTC(2024, 6, 1);
const good = { specversion: '1.0', id: 'a', source: 's', type: 't', subject: 'c' };

function read(value: unknown, form: EventForm = 'either') {
  return readEvents(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), form, now);
}

function failureOf(work: () => unknown): Failure {
  try {
    work();
  } catch (cause) {
    return cause as Failure;
  }
  throw new Error('it was taken');
}

describe('an event that is taken', () => {
  const rows: [string, object, object][] = [
    ['without a time: that of its arrival', {}, { time: BigInt(now) * 1_000_000n }],
    ['nanoseconds', { time: '2024-06-01T00:00:00.123456789Z' }, { time: 1_717_200_000_123_456_789n }],
    ['an offset', { time: '2024-06-01T02:00:00+02:00' }, { time: 1_717_200_000_000_000_000n }],
    ['small letters', { time: '2024-06-01t00:00:00z' }, { time: 1_717_200_000_000_000_000n }],
    ['30 days ahead', { time: '2024-07-31T00:00:00Z' }, { time: 1_722_384_000_000_000_000n }],
    ['the year 2000', { time: '2000-01-01T00:00:00Z' }, { time: 946_684_800_000_000_000n }],
    ['nulls where nothing must be', { time: null, data: null, dataschema: null, datacontenttype: null }, { data: '' }],
    ['a content type with parameters', { datacontenttype: 'application/json; charset=utf-8' }, {}],
    ['other attributes, which are left out', { traceparent: '00-1', sequence: 7 }, { id: 'a' }],
    ['any characters', { subject: 'é😀 "\'\\' }, { subject: 'é😀 "\'\\' }],
    [
      'data as it is',
      { data: { b: [1, { c: '}' }], 'a"': null } },
      { data: '{"b":[1,{"c":"}"}],"a\\"":null}', exact: '' },
    ],
  ];
  it.each(rows)('%s', (_name, more, expected) => {
    expect(read({ ...good, ...more })).toMatchObject([expected]);
  });

  it('keeps the digits and the form of its data', () => {
    const data = '{ "n": 0.1234567890123456789, "i":[12345678901234567890 , 7], "t":"1234567890123456789" }';
    const [event] = read(`\n{"data": ${data} ,${JSON.stringify(good).slice(1)}`);
    expect(event?.data).toBe(data);
    expect(event?.exact).toBe(
      '{ "n": "0.1234567890123456789", "i":["12345678901234567890" , 7], "t":"1234567890123456789" }',
    );
  });

  it('finds its data behind whatever else stands there', () => {
    const before = `"number":${'9'.repeat(600)},"data":7,"list":[{"data":1}],"null":null`;
    expect(read(`{${before},"data":{"a":1},${JSON.stringify(good).slice(1)}`)[0]?.data).toBe('{"a":1}');
  });

  it.each<EventForm>(['batch', 'either'])('in a list: %s', (form) => {
    expect(read([good, { ...good, id: 'b' }], form).map(({ id }) => id)).toEqual(['a', 'b']);
    expect(read([], form)).toEqual([]);
  });
});

describe('an event that is refused', () => {
  const rows: [string, unknown, string[]][] = [
    ['no object', 7, ['must be an object']],
    [
      'nothing',
      {},
      ['id: is missing', 'source: is missing', 'type: is missing', 'subject: is missing', 'specversion: must be "1.0"'],
    ],
    ['another version', { ...good, specversion: '0.3' }, ['specversion: must be "1.0"']],
    ['a number as id', { ...good, id: 7 }, ['id: must be a text']],
    ['an empty subject', { ...good, subject: '' }, ['subject: is missing']],
    ['a long id', { ...good, id: 'x'.repeat(513) }, ['id: is longer than 512 characters']],
    ['NUL', { ...good, subject: 'a\0' }, ['subject: holds control or half characters']],
    ['half a character', { ...good, source: '\ud800' }, ['source: holds control or half characters']],
    ['a day', { ...good, time: '2024-06-01' }, ['time: is no RFC 3339 time']],
    ['a number as time', { ...good, time: 1717200000 }, ['time: is no RFC 3339 time']],
    ['a day that there is not', { ...good, time: '2023-02-29T00:00:00Z' }, ['time: is no RFC 3339 time']],
    ['long ago', { ...good, time: '1999-12-31T23:59:59Z' }, ['time: lies outside the years 2000 to 2105']],
    ['far ahead', { ...good, time: '2024-07-31T00:00:01Z' }, ['time: lies more than 30 days ahead']],
    ['data that is a list', { ...good, data: [] }, ['data: must be an object']],
    ['data that is a text', { ...good, data: '{}' }, ['data: must be an object']],
    ['bytes', { ...good, data_base64: 'AAAA' }, ['data_base64: is not taken; send data']],
    ['much data', { ...good, data: { a: 'x'.repeat(65_536) } }, ['data: is longer than 65536 characters']],
    ['NUL inside of data', { ...good, data: { a: [{ b: 'x\0' }] } }, ['data: holds NUL or half a character']],
    ['half a name inside of data', { ...good, data: { '\udc00': 1 } }, ['data: holds NUL or half a character']],
    ['data of another type', { ...good, datacontenttype: 'text/xml' }, ['datacontenttype: must be application/json']],
  ];
  it.each(rows)('%s', (_name, value, messages) => {
    const failure = failureOf(() => read(value));
    expect([failure.code, failure.problems.map(({ message }) => message)]).toEqual(['EVENTS_INVALID', messages]);
  });

  it('takes its whole batch with it, and every problem is named with its place', () => {
    const failure = failureOf(() => read([good, { ...good, id: null, type: 1 }, null]));
    expect(failure.problems).toEqual([
      { path: '1.id', message: '1.id: is missing' },
      { path: '1.type', message: '1.type: must be a text' },
      { path: '2', message: '2: must be an object' },
    ]);
  });
});

describe('a body that is refused', () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const rows: [string, string | Buffer, EventForm, string][] = [
    ['no JSON', '{"id": ', 'either', 'BODY_MALFORMED'],
    ['nothing', '', 'either', 'BODY_MALFORMED'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'either', 'BODY_MALFORMED'],
    ['NUL', '{"id": "a\0"}', 'either', 'BODY_MALFORMED'],
    ['100,000 brackets', deep, 'either', 'BODY_MALFORMED'],
    ['100,000 brackets that never close', '['.repeat(100_000), 'either', 'BODY_MALFORMED'],
    [
      'deep data',
      JSON.stringify({ ...good, data: { a: JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) } }),
      'one',
      'BODY_MALFORMED',
    ],
    ['a list where one is expected', '[]', 'one', 'BODY_MALFORMED'],
    ['one where a list is expected', JSON.stringify(good), 'batch', 'BODY_MALFORMED'],
    ['10,001 events', JSON.stringify(Array.from({ length: 10_001 }, () => good)), 'batch', 'BODY_TOO_LARGE'],
  ];
  it.each(rows)('%s', (_name, body, form, code) => {
    expect(failureOf(() => readEvents(Buffer.from(body as string), form, now)).code).toBe(code);
  });
});

describe('what stands where in a JSON text', () => {
  it('is what the runtime reads there, for any value and any white space', () => {
    const property = fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(3), (value, space) => {
      const text = JSON.stringify(value, null, space);
      for (const name of Object.keys(value)) {
        const { from, to } = memberOf(text, 0, name)!;
        expect(JSON.parse(text.slice(from, to))).toEqual(JSON.parse(text)[name]);
      }
      expect(memberOf(text, 0, 'data') === null).toBe(!Object.hasOwn(value, 'data'));
      expect(deepestOf(text)).toBe(depth(value));
      const exact = withExactNumbers(text);
      if (exact !== '')
        expect(JSON.parse(exact, (_, each) => (isNumberText(each) ? Number(each) : each))).toEqual(
          JSON.parse(text, (_, each) => (isNumberText(each) ? Number(each) : each)),
        );
    });
    fc.assert(property, { numRuns: 300 });
  });

  it('the last of two members of the same name counts, however the name is written', () => {
    const text = '{"data":1,"d\\u0061ta" : [2] }';
    const { from, to } = memberOf(text, 0, 'data')!;
    expect(text.slice(from, to)).toBe('[2]');
  });

  it.each([
    ['{"a":123456789012345}', ''],
    ['{"a":1234567890123456}', '{"a":"1234567890123456"}'],
    ['{"a":0.000000000123456789012345}', ''],
    ['[1e201,1e-300,1e9]', '["1e201","1e-300",1e9]'],
    ['["1234567890123456789",-1234567890.1234567]', '["1234567890123456789","-1234567890.1234567"]'],
  ])('numbers that a double would round become texts: %s', (text, exact) => {
    expect(withExactNumbers(text)).toBe(exact);
  });
});

function depth(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depth));
}

function isNumberText(value: unknown): boolean {
  return typeof value === 'string' && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value);
}

describe('the identity of an event', () => {
  it('is not that of parts that look the same when joined', () => {
    const same = [
      ['', 'a-b', 'c'],
      ['', 'a', 'b-c'],
      ['a', 'b', 'c'],
      ['', 'ab', 'c'],
      ['', 'a', 'bc'],
      ['', '1:a', ''],
    ] as const;
    expect(new Set(same.map(([namespace, source, id]) => eventHash(namespace, source, id).toString('hex'))).size).toBe(
      same.length,
    );
  });

  it('is the same for the same parts only', () => {
    const parts = fc.tuple(fc.string(), fc.string(), fc.string());
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(eventHash(...a).equals(eventHash(...b))).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});
