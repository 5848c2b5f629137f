import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AdviceReport, AdviceRow } from './advice.ts';
import { adviceLetter } from './letter.ts';

const row: AdviceRow = {
  ...({ tenant: 'acme', kind: 'polling', endpoint: 'GET /v1/jobs/{id}', consumers: 1, calls: 1_000 } as const),
  ...{ savedCalls: 900, savedShare: 0.9, savedCost: '1.250000000000000000', currency: 'USD' },
  ...({ certainty: 'possible', evidence: 'asked every 30 s; 90 % of 1000 answers were unchanged' } as const),
};
const report = (rows: readonly AdviceRow[], isCut = false): AdviceReport => ({
  ...{ calls: 5_000, looked: { from: '2026-10-01T00:00:00Z', to: '2026-10-08T00:00:00Z' }, isCut, rows },
  ...{ coverage: { weight: 1, time: 1 }, freshness: { asOf: '2026-10-08T00:00:00Z', newestCall: null } },
});

describe('the letter', () => {
  test('says what was seen, what to do, what it saves and how sure that is', () => {
    expect(adviceLetter('acme', report([row]))).toBe(`# How \`acme\` can do with fewer calls

We looked at 5000 calls from 2026-10-01T00:00:00Z to 2026-10-08T00:00:00Z.

## 1. Polling: \`GET /v1/jobs/{id}\`
- Seen: asked every 30 s; 90 % of 1000 answers were unchanged.
- Could be saved: 900 of 1000 calls, about 1.2500 USD of our cost.
- What to do: Ask less often, or let a webhook tell you: most answers were the same as the one before.
- We do not keep which object was read, only sizes, statuses and times: please check whether these reads were of the same ones.
`);
  });

  test('is silent about a cost that is not known, about others, and honest about double savings', () => {
    const composite = {
      ...row,
      kind: 'composite' as const,
      endpoint: 'GET /a > GET /b',
      savedCost: null,
      currency: null,
    };
    const text = adviceLetter('acme', report([row, composite, { ...row, tenant: 'globex', endpoint: 'GET /theirs' }]));
    expect(text).toContain('## 2. Several calls for one purpose: `GET /a`, then `GET /b`');
    expect(text).toContain('- Could be saved: 900 of 1000 calls.\n');
    expect(text).toContain('does not simply add up');
    expect(text).not.toContain('theirs');
    expect(adviceLetter('nobody', report([row]))).toContain('We found nothing');
  });

  test('a name cannot be anything but text', () => {
    const hostile = fc.string({
      unit: fc.constantFrom('`', '#', '\n', '[', ']', '(', ')', '<', '!', '*', 'a', '\u202e', ' '),
    });
    const property = fc.property(hostile, (name) => {
      const lines = adviceLetter(`x${name}`, report([{ ...row, tenant: `x${name}` }])).split('\n');
      expect(lines.filter((line) => line.startsWith('#'))).toHaveLength(2);
      expect(lines).toHaveLength(adviceLetter('acme', report([row])).split('\n').length);
      // What is left when code is taken out is ours alone.
      const ours = lines[0]!.replace(/^# How (`+)(?!`)[\s\S]*?(?<!`)\1(?!`) can do with fewer calls$/, 'code');
      expect(ours).toBe('code');
    });
    fc.assert(property, { numRuns: 300, seed: 81 });
  });
});
