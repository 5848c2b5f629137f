import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { parseTraceParent, rawHeader } from './trace-parent.ts';

const trace = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';

test.each([
  [`00-${trace}-${span}-01`, { traceId: trace, spanId: span }],
  [`cc-${trace}-${span}-00-what-the-future-brings`, { traceId: trace, spanId: span }],
  [`00-${trace}-${span}-01-more`, null],
  [`ff-${trace}-${span}-01`, null],
  [`00-${'0'.repeat(32)}-${span}-01`, null],
  [`00-${trace}-${'0'.repeat(16)}-01`, null],
  [`00-${trace.toUpperCase()}-${span}-01`, null],
  [`00-${trace}-${span}`, null],
  ['', null],
])('traceparent %s', (value, parent) => {
  expect(parseTraceParent(value)).toEqual(parent);
});

test.each([
  [['Host', 'a', 'X-Tenant', 'acme'], 'acme'],
  [['x-tenant', 'acme'], 'acme'],
  [['x-tenant', 'acme', 'X-TENANT', 'other'], null],
  [['x-tenan', 'acme', 'x-other-1', 'x-tenant'], null],
])('of headers %j', (rawHeaders, value) => {
  expect(rawHeader({ rawHeaders } as unknown as IncomingMessage, 'x-tenant')).toBe(value);
});
