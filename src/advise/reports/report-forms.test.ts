import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ComposedReport, Missing } from './compose.ts';
import { reportHtml, reportText } from './report-forms.ts';
import { pageOf } from './report-page.ts';

function report(name: string): ComposedReport {
  return {
    ...({ schedule: 'weekly', every: 'week', timeZone: 'UTC', where: `tenant:${name}` } as const),
    period: { from: '2026-09-28T00:00:00Z', to: '2026-10-05T00:00:00Z' },
    figures: {
      ...{ calls: 1_234.5, errors: 12, baseCalls: 1_000, growth: 0.2345 },
      tenants: [{ name, calls: 1_000, share: 0.81, growth: null }],
      endpoints: [{ name: `GET /${name}`, calls: null, share: null, growth: -0.5 }],
    },
    why: {
      ...{ before: 1_000, after: 1_234.5, change: 234.5, growth: 0.2345 },
      diagnoses: [{ cause: 'heavy_customer', explains: 0.8, evidence: `${name}: 100 calls before, 300 after` }],
      rows: [
        { ...{ dimension: 'tenant', key: name, kind: 'grown', before: 1, after: 2, change: 1, shareOfChange: 1 } },
      ] as const,
    },
    advice: {
      ...{ calls: 1_234, isCut: true, looked: { from: '2026-10-01T00:00:00Z', to: '2026-10-05T00:00:00Z' } },
      rows: [
        {
          ...({ tenant: name, kind: 'polling', endpoint: 'GET /jobs', consumers: 1, calls: 9, savedCalls: 8 } as const),
          ...({ savedShare: 0.9, savedCost: null, currency: null, certainty: 'likely', evidence: name } as const),
        },
      ],
    },
    targets: [
      {
        ...({
          name: 'errors',
          metric: 'errorRate',
          where: '',
          direction: 'atMost',
          value: 0.005,
          by: '2026-12-31',
        } as const),
        ...({
          per: 'week',
          timeZone: 'UTC',
          state: 'off_track',
          current: 0.00972,
          start: null,
          projected: 0.0101,
        } as const),
        ...{ projectedOn: null, windows: 13 },
      },
    ],
    ...{ coverage: { weight: 1, time: 0.5 }, freshness: { asOf: '2026-10-05T07:00:00Z', newestCall: null } },
    definitions: '/api/v1/usage/definitions',
  };
}

describe('a report', () => {
  test('has its figures, what moved, advice and targets in both forms', () => {
    const page = pageOf(report('acme'));
    for (const text of [reportHtml(page), reportText(page)]) {
      for (const words of [
        '1,234.5 calls',
        '+23.5 %',
        'heavy customer',
        'GET /jobs',
        'off track',
        'at most 0.005 a week',
        'unknown',
        '50 % of the time',
      ])
        expect(text).toContain(words);
    }
  });

  test('says why a target cannot be judged, or all of them', () => {
    const [target] = report('acme').targets as Exclude<ComposedReport['targets'], Missing | null>;
    const unknown = { ...target!, state: 'unknown' as const, reason: 'bills have several currencies' };
    expect(reportText(pageOf({ ...report('acme'), targets: [unknown] }))).toContain('errors: bills have several');
    expect(reportText(pageOf({ ...report('acme'), targets: { missing: 'no longer kept' } }))).toContain(
      'no longer kept',
    );
  });

  test('says what it cannot say', () => {
    const page = pageOf({
      ...report('acme'),
      why: { missing: 'what was asked for is no longer kept.' },
      figures: null,
    });
    expect(reportText(page)).toContain('no longer kept');
    expect(reportText(page)).not.toContain('Largest tenants');
  });

  const hostile = fc.string({
    unit: fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '&',
      '`',
      '/',
      '=',
      '\n',
      '\r',
      '\u202e',
      '\u0000',
      's',
      'script',
      'onload',
      ' ',
    ),
  });

  test('names are text in the page and nothing else', () => {
    const plain = tagsOf(reportHtml(pageOf(report('acme'))));
    const property = fc.property(hostile, (name) => {
      const html = reportHtml(pageOf(report(name)));
      // A cell that looks like a figure may be shown as one: its class differs, nothing more.
      expect(tagsOf(html)).toEqual(plain);
      expect(html.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    });
    fc.assert(property, { numRuns: 300, seed: 83 });
  });

  test('names cannot make lines of their own in plain text', () => {
    const lines = reportText(pageOf(report('acme'))).split('\n').length;
    fc.assert(
      fc.property(hostile, (name) => {
        expect(reportText(pageOf(report(name))).split('\n').length).toBe(lines);
      }),
      { numRuns: 200, seed: 84 },
    );
  });

  test('the page fetches nothing and runs nothing', () => {
    expect(reportHtml(pageOf(report('acme')))).not.toMatch(/<(script|img|link|iframe)|\bhref=|\bsrc=|url\(/i);
  });
});

function tagsOf(html: string): string[] {
  return [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(' class="n"', ''));
}
