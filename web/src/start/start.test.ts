import { describe, expect, test } from 'vitest';
import { missingParts } from './missing-parts.ts';
import { snippets } from './snippets.ts';

const MODEL = { name: 'shop', version: 1, effectiveFrom: '2025-01-01' };

describe('what is missing', () => {
  test.each([
    ['nothing at all arrived', { isEmpty: true, calls: 0, charges: 0, models: [] }, []],
    ['all is there', { isEmpty: false, calls: 1, charges: 1, models: [MODEL] }, []],
    ['calls only', { isEmpty: false, calls: 1, charges: 0, models: [] }, [['bill'], ['model']]],
    ['calls and a model', { isEmpty: false, calls: 1, charges: 0, models: [MODEL] }, [['bill']]],
    ['a bill only', { isEmpty: false, calls: 0, charges: 1, models: [] }, [['otlp', 'log'], ['model']]],
  ])('%s', (_, status, steps) => expect(missingParts(status).map((part) => part.steps)).toEqual(steps));
});

test.each([
  [undefined, 'http://127.0.0.1:4318'],
  ['127.0.0.1:14318', 'http://127.0.0.1:14318'],
  ['http://127.0.0.1:4318', 'http://127.0.0.1:4318'],
  ['https://meter.example', 'https://meter.example'],
])('a listener on %s is shown as %s', (otlp, shown) => {
  expect(snippets({ otlp }).otlp.command).toBe(`OTEL_EXPORTER_OTLP_ENDPOINT=${shown}`);
});
