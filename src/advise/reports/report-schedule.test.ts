import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatInstant, parseInstant } from '../../model/index.ts';
import { duePeriod, nextDueMs, periodFrom, reportScheduleSpec } from './report-schedule.ts';

const spec = (fields: object = {}) =>
  reportScheduleSpec.parse({ every: 'day', to: [{ mail: ['a@b.example'] }], ...fields });
const due = (fields: object, at: string) => {
  const { period, dueMs } = duePeriod(spec(fields), parseInstant(at));
  return [period.fromMs, period.toMs, dueMs].map(formatInstant);
};

describe('what is due', () => {
  test.each([
    [
      'a day, after its time',
      {},
      '2026-10-05T07:00:00Z',
      ['2026-10-04T00:00:00Z', '2026-10-05T00:00:00Z', '2026-10-05T07:00:00Z'],
    ],
    [
      'a day, before its time',
      {},
      '2026-10-05T06:59:59Z',
      ['2026-10-03T00:00:00Z', '2026-10-04T00:00:00Z', '2026-10-04T07:00:00Z'],
    ],
    [
      'a week',
      { every: 'week' },
      '2026-10-07',
      ['2026-09-28T00:00:00Z', '2026-10-05T00:00:00Z', '2026-10-05T07:00:00Z'],
    ],
    [
      'a month',
      { every: 'month', at: '00:00' },
      '2026-03-01',
      ['2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z', '2026-03-01T00:00:00Z'],
    ],
    [
      'a day of 23 hours',
      { timeZone: 'Europe/Berlin' },
      '2026-03-30T05:00:00Z',
      ['2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', '2026-03-30T05:00:00Z'],
    ],
    [
      'on the morning on which clocks change',
      { timeZone: 'Europe/Berlin' },
      '2026-03-29T05:00:00Z',
      ['2026-03-27T23:00:00Z', '2026-03-28T23:00:00Z', '2026-03-29T05:00:00Z'],
    ],
    [
      'in a zone of half an hour',
      { timeZone: 'Asia/Kolkata' },
      '2026-10-05T01:30:00Z',
      ['2026-10-03T18:30:00Z', '2026-10-04T18:30:00Z', '2026-10-05T01:30:00Z'],
    ],
  ])('%s', (_name, fields, at, expected) => {
    expect(due(fields, at)).toEqual(expected);
  });

  test('is the newest: periods follow each other without a hole, each due once', () => {
    const fields = fc.record({
      every: fc.constantFrom('day', 'week', 'month'),
      at: fc.constantFrom('00:00', '02:30', '07:00', '23:59'),
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'),
    });
    const property = fc.property(fields, fc.integer({ min: 0, max: 2 * 365 * 86_400 }), (asked, seconds) => {
      const [schedule, atMs] = [spec(asked), Date.UTC(2025, 0, 1) + seconds * 1000];
      const { period, dueMs } = duePeriod(schedule, atMs);
      expect(dueMs).toBeLessThanOrEqual(atMs);
      expect(period.toMs).toBeLessThanOrEqual(dueMs);
      const next = nextDueMs(schedule, atMs);
      expect(next).toBeGreaterThan(atMs);
      const following = duePeriod(schedule, next);
      expect(following).toMatchObject({ dueMs: next, period: { fromMs: period.toMs } });
      expect(duePeriod(schedule, next - 1)).toEqual({ period, dueMs });
    });
    fc.assert(property, { numRuns: 200, seed: 82 });
  });

  test('a period is found by its first day in the zone', () => {
    const week = spec({ every: 'week', timeZone: 'Pacific/Auckland' });
    expect(periodFrom(week, '2026-10-05')).toEqual({
      fromMs: Date.UTC(2026, 9, 4, 11),
      toMs: Date.UTC(2026, 9, 11, 11),
    });
    expect(periodFrom(week, '2026-10-06')).toBeNull();
  });
});

describe('a schedule', () => {
  test.each([
    ['nobody to send it to', { to: [] }],
    ['two targets in one', { to: [{ mail: ['a@b.example'], file: 'html' }] }],
    ['a target that is none', { to: [{}] }],
    ['a mail address with more behind it', { to: [{ mail: ['a@b.example\r\nBcc: c@d.example'] }] }],
    ['two addresses in one', { to: [{ mail: ['a@b.example, c@d.example'] }] }],
    ['another scheme', { to: [{ webhook: { url: 'file:///etc/passwd' } }] }],
    ['a password in an address', { to: [{ webhook: { url: 'https://user:password@example.com/' } }] }],
    [
      'a secret instead of its name',
      { to: [{ webhook: { url: 'https://example.com/', secret: 'whsec_c2VjcmV0/+' } }] },
    ],
    ['a file of another kind', { to: [{ file: '../../etc/cron.d/x' }] }],
    ['a zone that is none', { timeZone: 'Mars/Olympus' }],
    ['a time that is none', { at: '24:00' }],
    ['tenants twice', { tenants: ['a'], where: 'tenant:b' }],
    ['a choice that is none', { where: 'colour:red' }],
    ['a part that is none', { parts: ['rumours'] }],
  ])('with %s is refused', (_name, fields) => {
    const asked = { every: 'day', to: [{ file: 'html' }], ...fields };
    expect(reportScheduleSpec.safeParse(asked).success).toBe(false);
  });
});
