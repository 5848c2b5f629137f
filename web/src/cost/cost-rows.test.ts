import { describe, expect, test } from 'vitest';
import type { CostRow } from '../api/contract.ts';
import { attoFromText } from '../money/amount.ts';
import { costByFor, dearestRows, rowName, rowsPassing, totalByFor } from './cost-rows.ts';
import { callsFromMicro, totalOfRows } from './cost-total.ts';

const ROW: CostRow = {
  tenant: 'acme',
  endpoint: 'GET /',
  calls: 110,
  late: null,
  standardError: null,
  direct: '0.138570851747471218',
  indirect: '5.189772742423934683',
  full: '5.328343594171405901',
  directPerCall: '0.001259735016',
  fullPerCall: '0.048439487220',
  state: 'provisional',
  coverage: { weight: 1, driver: 0.5 },
  model: 'shop@1',
};
const SILENT: CostRow = { ...ROW, tenant: 'globex', calls: 0, directPerCall: null, fullPerCall: null, state: 'rated' };

describe('the questions that a view asks', () => {
  test.each([
    ['endpoint', {}, 'endpoint', 'tenant'],
    ['tenant', {}, 'tenant', 'tenant'],
    ['both', {}, 'tenant,endpoint', 'tenant'],
    ['endpoint', { tenant: 'acme' }, 'tenant,endpoint', 'tenant'],
    ['tenant', { tenant: 'acme' }, 'tenant', 'tenant'],
    ['tenant', { endpoint: 'GET /' }, 'tenant,endpoint', 'endpoint'],
    ['endpoint', { tenant: 'acme', endpoint: 'GET /' }, 'tenant,endpoint', 'tenant,endpoint'],
  ] as const)('view %s with filter %j asks by %s, and by %s for the total', (view, filter, rows, total) => {
    expect([costByFor(view, filter), totalByFor(filter)]).toEqual([rows, total]);
  });

  test('filters keep what they name, and rows that do not carry the name', () => {
    expect(rowsPassing([ROW, SILENT], { tenant: 'acme' })).toEqual([ROW]);
    expect(rowsPassing([{ ...ROW, endpoint: undefined }], { endpoint: 'GET /' })).toHaveLength(1);
    expect([rowName(ROW, 'both'), rowName(ROW, 'tenant'), rowName(ROW, 'endpoint')]).toEqual([
      'acme · GET /',
      'acme',
      'GET /',
    ]);
  });
});

describe('totals', () => {
  test('are exact, as weak as the weakest row, and covered by calls', () => {
    const total = totalOfRows([ROW, { ...SILENT, coverage: { weight: null, driver: null } }]);
    expect(total.fullAtto).toBe(attoFromText('10.656687188342811802'));
    expect(total.fullPerCallAtto).toBe(attoFromText('0.096878974439'));
    expect([total.state, total.coverage, total.models]).toEqual(['rated', { weight: 1, driver: 0.5 }, ['shop@1']]);
    expect(callsFromMicro(total.callsMicro)).toBe(110);
  });

  test('of nothing are unknown, not zero', () => {
    const total = totalOfRows([]);
    expect([total.state, total.fullPerCallAtto, total.coverage.weight]).toEqual([null, null, null]);
  });
});

test('the dearest rows leave out those without calls', () => {
  const cheap = { ...ROW, endpoint: 'GET /cheap', fullPerCall: '0.000000000001' };
  expect(dearestRows([cheap, SILENT, ROW], 'full', 9).map(({ row }) => row.endpoint)).toEqual(['GET /', 'GET /cheap']);
  expect(dearestRows([cheap, ROW], 'full', 1)).toHaveLength(1);
});
