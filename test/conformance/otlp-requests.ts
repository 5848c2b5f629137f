import fc from 'fast-check';

/** Names that mean something to us, and some that do not. */
const keys = fc.constantFrom(
  ...[
    'service.name',
    'k8s.pod.name',
    'container.name',
    'taximeter.tenant',
    'tenant.id',
    'customer.id',
    'taximeter.consumer',
    'enduser.id',
  ],
  ...[
    'http.request.method',
    'http.method',
    'http.route',
    'url.path',
    'http.target',
    'http.url',
    'rpc.method',
    'rpc.service',
  ],
  ...['rpc.system', 'db.system.name', 'db.system', 'messaging.destination.name', 'faas.name', 'server.address'],
  ...['http.response.status_code', 'http.status_code', 'taximeter.cpu_us', 'taximeter.bytes_in', 'http.request.size'],
  ...['http.response.body.size', 'gen_ai.usage.input_tokens', 'taximeter.retries', 'faas.coldstart', 'other.name', ''],
);

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(
    '',
    'GET',
    '200',
    '12.5',
    'true',
    'false',
    'ada@example.com',
    '10.0.0.1',
    '/v1/users/42?q=1',
    'http://h/p?q',
  ),
  fc.constantFrom('9007199254740991', '9007199254740993', 'x'.repeat(300), 'é'.repeat(300), '😀'.repeat(200)),
);
const integers = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -3n, max: 600n }),
  fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n),
);
const jsonDouble = (value: number) => (Number.isFinite(value) ? value : String(value));
const doubles = fc.oneof(fc.double(), fc.constantFrom(0.5, 1.5, 2.5, -0.4, 1e21, 2 ** 53)).map(jsonDouble);

const scalar = fc.oneof(
  { weight: 4, arbitrary: texts.map((stringValue) => ({ stringValue })) },
  { weight: 2, arbitrary: integers.map((value) => ({ intValue: String(value) })) },
  fc.boolean().map((boolValue) => ({ boolValue })),
  doubles.map((doubleValue) => ({ doubleValue })),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => ({ bytesValue: Buffer.from(bytes).toString('base64') })),
  fc.constant({}),
);
const value = fc.oneof(
  { weight: 8, arbitrary: scalar },
  fc.array(scalar, { maxLength: 2 }).map((values) => ({ arrayValue: { values } })),
  scalar.map((inner) => ({ kvlistValue: { values: [{ key: 'service.name', value: inner }] } })),
);
const attributes = fc.array(fc.record({ key: keys, value }), { maxLength: 5 });

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => Buffer.from(id).toString('hex'));
const idOf = (bytes: number) =>
  fc.oneof(
    { weight: 20, arbitrary: hex(bytes) },
    fc.constantFrom('', '00'.repeat(bytes)),
    fc.nat(20).chain((length) => hex(length)),
  );
const SOME_TIME = 1_735_689_600_000_000_000n;
const nanos = fc.oneof(
  { weight: 10, arbitrary: fc.bigInt({ min: 0n, max: 10n ** 12n }).map((later) => SOME_TIME + later) },
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constant(0n),
);
const times = nanos.map(String);
const traceStates = fc.constantFrom('', 'ot=th:8', 'ot=rv:1;th:fd70a,x=y', 'ot=th:ffffffffffffff', 'x=é', 'ot=p:3');
const names = fc.oneof(texts, fc.constantFrom('GET /users/42', 'é'.repeat(400), 'POST /checkout'));

const span = fc.record(
  {
    traceId: idOf(16),
    spanId: idOf(8),
    parentSpanId: idOf(8),
    traceState: traceStates,
    name: names,
    kind: fc.integer({ min: -1, max: 7 }),
    startTimeUnixNano: times,
    endTimeUnixNano: times,
    attributes,
    droppedAttributesCount: fc.nat(3),
    events: fc.array(fc.record({ timeUnixNano: times, name: texts, attributes }), { maxLength: 1 }),
    links: fc.array(fc.record({ traceId: idOf(16), spanId: idOf(8), attributes }), { maxLength: 3 }),
    status: fc.record({ code: fc.integer({ min: 0, max: 3 }), message: texts }, { requiredKeys: [] }),
    flags: fc.nat(0x3ff),
  },
  { requiredKeys: ['traceId', 'spanId', 'startTimeUnixNano'] },
);
const scope = fc.record({ name: texts, version: texts, attributes }, { requiredKeys: [] });
const resource = fc.record({ attributes, droppedAttributesCount: fc.nat(3) }, { requiredKeys: [] });

/** Random ExportTraceServiceRequests as OTLP/JSON: every kind of value, wrong ids, wild times. */
export const traceRequests: fc.Arbitrary<object> = fc.record({
  resourceSpans: fc.array(
    fc.record(
      {
        resource,
        scopeSpans: fc.array(
          fc.record({ scope, spans: fc.array(span, { maxLength: 4 }) }, { requiredKeys: ['spans'] }),
          {
            maxLength: 2,
          },
        ),
        schemaUrl: texts,
      },
      { requiredKeys: ['scopeSpans'] },
    ),
    { maxLength: 3 },
  ),
});

const pointValue = fc.oneof(
  doubles.map((asDouble) => ({ asDouble })),
  integers.map((asInt) => ({ asInt: String(asInt) })),
  fc.constant({}),
);
const point = fc
  .tuple(
    fc.record(
      { timeUnixNano: times, startTimeUnixNano: times, attributes, flags: fc.nat(3) },
      { requiredKeys: ['timeUnixNano'] },
    ),
    pointValue,
  )
  .map(([common, own]) => ({ ...common, ...own }));
const dataPoints = fc.array(point, { maxLength: 3 });
const histogramPoints = fc.array(
  fc.record(
    {
      timeUnixNano: times,
      startTimeUnixNano: times,
      count: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
      sum: doubles,
      bucketCounts: fc.array(fc.nat(9).map(String), { maxLength: 3 }),
      explicitBounds: fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 3 }),
      attributes,
      flags: fc.nat(3),
    },
    { requiredKeys: ['timeUnixNano'] },
  ),
  { maxLength: 3 },
);
const exponentialPoints = fc.array(
  fc.record(
    {
      timeUnixNano: times,
      startTimeUnixNano: times,
      count: fc.nat(9).map(String),
      sum: doubles,
      scale: fc.integer({ min: -4, max: 20 }),
      zeroCount: fc.nat(9).map(String),
      positive: fc.record({ offset: fc.integer({ min: -9, max: 9 }), bucketCounts: fc.array(fc.nat(9).map(String)) }),
      attributes,
      flags: fc.nat(3),
    },
    { requiredKeys: ['timeUnixNano'] },
  ),
  { maxLength: 3 },
);
const metricData = fc.oneof(
  dataPoints.map((points) => ({ gauge: { dataPoints: points } })),
  fc.tuple(dataPoints, fc.nat(3), fc.boolean()).map(([points, aggregationTemporality, isMonotonic]) => ({
    sum: { dataPoints: points, aggregationTemporality, isMonotonic },
  })),
  fc.tuple(histogramPoints, fc.nat(2)).map(([points, aggregationTemporality]) => ({
    histogram: { dataPoints: points, aggregationTemporality },
  })),
  fc.tuple(exponentialPoints, fc.nat(2)).map(([points, aggregationTemporality]) => ({
    exponentialHistogram: { dataPoints: points, aggregationTemporality },
  })),
  fc.constant({ summary: { dataPoints: [{ timeUnixNano: '1', count: '1', sum: 1 }] } }),
  fc.constant({}),
);
const metric = fc
  .tuple(fc.record({ name: texts, unit: texts }), metricData)
  .map(([common, own]) => ({ ...common, ...own }));

/** Random ExportMetricsServiceRequests as OTLP/JSON. */
export const metricRequests: fc.Arbitrary<object> = fc.record({
  resourceMetrics: fc.array(
    fc.record(
      {
        resource,
        scopeMetrics: fc.array(
          fc.record({ scope, metrics: fc.array(metric, { maxLength: 3 }) }, { requiredKeys: ['metrics'] }),
          {
            maxLength: 2,
          },
        ),
      },
      { requiredKeys: ['scopeMetrics'] },
    ),
    { maxLength: 3 },
  ),
});

const bodies = fc.oneof(
  value,
  fc
    .constantFrom(
      '203.0.113.9 - ada [01/Jan/2025:10:00:00 +0100] "GET /u/4711?token=x HTTP/1.1" 503 17 "-" "agent/1"',
      '[2025-01-01T03:04:05.678Z] "POST /a/12 HTTP/2" 204 - 154 0 226 100 "10.1.2.3" "grpc-go/1" "id" "h" "tcp://10.0.2.1:80"\n',
      '{"response_code":200,"start_time":"2025-01-01T00:00:00Z","method":"GET","path":"/v1/x","duration":12,"bytes_sent":9}',
      '{"level":"info","message":"started","port":4700}',
      'user 4711 signed in at 200 Main Street',
    )
    .map((stringValue) => ({ stringValue })),
);
const httpAttributes = fc
  .record({
    'http.request.method': fc.constantFrom('GET', 'POST'),
    'http.route': fc.constantFrom('/v1/users/{id}', ''),
    'url.path': fc.constantFrom('/v1/users/4711', '/'),
    'http.response.status_code': fc.constantFrom(200, 404, 503),
  })
  .map((all) =>
    Object.entries(all).map(([key, each]) => ({
      key,
      value: typeof each === 'number' ? { intValue: String(each) } : { stringValue: each },
    })),
  );
const logRecord = fc.record(
  {
    timeUnixNano: times,
    observedTimeUnixNano: times,
    severityNumber: fc.nat(24),
    severityText: texts,
    body: bodies,
    attributes: fc.oneof(
      attributes,
      fc.tuple(httpAttributes, attributes).map((both) => both.flat()),
    ),
    droppedAttributesCount: fc.nat(3),
    flags: fc.nat(0xff),
    traceId: idOf(16),
    spanId: idOf(8),
    eventName: fc.oneof(texts, fc.constant('http.server.request')),
  },
  { requiredKeys: [] },
);

/** Random ExportLogsServiceRequests as OTLP/JSON: access logs of two kinds, records of ours, and other texts. */
export const logRequests: fc.Arbitrary<object> = fc.record({
  resourceLogs: fc.array(
    fc.record(
      {
        resource,
        scopeLogs: fc.array(
          fc.record({ scope, logRecords: fc.array(logRecord, { maxLength: 4 }) }, { requiredKeys: ['logRecords'] }),
          { maxLength: 2 },
        ),
        schemaUrl: texts,
      },
      { requiredKeys: ['scopeLogs'] },
    ),
    { maxLength: 3 },
  ),
});

/** What may happen to a message on its way; the numbers are taken modulo its length. */
const change = fc.record({
  what: fc.constantFrom('flip', 'cut', 'drop', 'insert', 'repeat'),
  at: fc.nat(),
  by: fc.nat(255),
});
export const damages = fc.array(change, { minLength: 1, maxLength: 6 });

export function damaged(bytes: Buffer, changes: readonly { what: string; at: number; by: number }[]): Buffer {
  let result = Buffer.from(bytes);
  for (const { what, at, by } of changes) {
    if (result.length === 0) return result;
    const place = at % result.length;
    const [before, behind] = [result.subarray(0, place), result.subarray(place)];
    if (what === 'flip') result[place]! ^= 1 << (by % 8);
    else if (what === 'cut') result = before;
    else if (what === 'drop') result = Buffer.concat([before, behind.subarray(by)]);
    else if (what === 'insert') result = Buffer.concat([before, Buffer.from([by, 255 - by]), behind]);
    else result = Buffer.concat([before, behind.subarray(0, by), behind]);
  }
  return result;
}
