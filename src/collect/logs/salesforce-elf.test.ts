import { describe, expect, it } from 'vitest';
import { findLogFormat } from './formats.ts';

const row = (...fields: string[]) => fields.map((field) => `"${field}"`).join(',');
const open = (head?: string) => findLogFormat('salesforce-elf')!.open(head);

const header = row(
  'EVENT_TYPE',
  'TIMESTAMP',
  'REQUEST_ID',
  'ORGANIZATION_ID',
  'USER_ID',
  'RUN_TIME',
  'CPU_TIME',
  'URI',
  'METHOD',
  'STATUS_CODE',
  'REQUEST_SIZE',
  'RESPONSE_SIZE',
  'DB_TOTAL_TIME',
  'ROWS_PROCESSED',
  'CLIENT_IP',
  'QUERY',
  'TIMESTAMP_DERIVED',
);
const event = (type: string, query = '') =>
  row(
    type,
    '20220801030405.678',
    'TID:1',
    '00D1',
    '0051',
    '120',
    '35',
    '/services/data/v52.0/query?q=1',
    'GET',
    '200',
    '10',
    '2000',
    '4999999',
    '7',
    '10.1.2.3',
    query,
    '2022-08-01T03:04:05.678Z',
  );

describe('Salesforce Event Log Files', () => {
  it('reads columns by their names, milliseconds and nanoseconds', () => {
    const parser = open();
    expect(parser.parse(header)).toBe('header');
    expect(parser.parse(event('RestApi'))).toMatchObject({
      tsUs: Date.UTC(2022, 7, 1, 3, 4, 5, 678) * 1000,
      kind: 'rest',
      method: 'GET',
      path: '/services/data/v52.0/query',
      query: 'q=1',
      status: 200,
      bytesIn: 10,
      bytesOut: 2000,
      durationUs: 120_000,
      cpuUs: 35_000,
      dbUs: 4999,
      records: 7,
      tenant: '00D1',
      user: '0051',
      clientIp: '10.1.2.3',
    });
  });

  it.each([
    ['API', 'soap'],
    ['BulkApi', 'bulk'],
    ['ApexRestApi', 'rest'],
  ])('%s is %s', (type, kind) => {
    expect(open(header).parse(event(type))).toMatchObject({ kind });
  });

  it('knows the calls of ApiTotalUsage by their family', () => {
    const parser = open(
      row('EVENT_TYPE', 'TIMESTAMP', 'API_FAMILY', 'API_RESOURCE', 'HTTP_METHOD', 'COUNTS_AGAINST_API_LIMIT'),
    );
    const line = parser.parse(
      row('ApiTotalUsage', '20220801030405.678', 'REST', '/v52.0/sobjects/Account', 'GET', '1'),
    );
    expect(line).toMatchObject({
      kind: 'rest',
      path: '/v52.0/sobjects/Account',
      method: 'GET',
      countsAgainstLimit: true,
    });
  });

  it('a field with quotes, commas and lines is one field', () => {
    const lines = event('RestApi', 'select ""a"", b\nfrom c\n').split('\n');
    const parser = open(header);
    expect(lines.map((line) => parser.parse(line)).map((line) => (typeof line === 'string' ? line : 'call'))).toEqual([
      'header',
      'header',
      'call',
    ]);
  });

  it('other events, missing columns and a missing header are refused', () => {
    expect(open(header).parse(event('Login'))).toBe('record_other');
    expect(open(header).parse('"RestApi","20220801030405.678"')).toBe('line_malformed');
    expect(open().parse(event('RestApi'))).toBe('header_missing');
  });

  it('the end of a row whose beginning is not there is refused, and the next one is read', () => {
    const parser = open(header);
    expect(parser.parse('from c","2022-08-01T03:04:05.678Z"')).toBe('line_malformed');
    expect(parser.parse(event('RestApi'))).toMatchObject({ kind: 'rest' });
  });
});
