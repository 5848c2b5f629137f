import { describe, expect, test } from 'vitest';
import { money, translatedFile } from '../../../test/support/translated-file.ts';

describe('OpenCost', () => {
  const allocation = (name: string, totalCost: number) => ({
    name,
    properties: { cluster: 'c1', namespace: name, labels: { app: 'shop' } },
    window: { start: '2024-09-18T00:00:00Z', end: '2024-09-19T00:00:00Z' },
    ...{ start: '2024-09-18T00:00:00Z', end: '2024-09-19T00:00:00Z', cpuCost: totalCost / 2, totalCost },
  });

  test('one charge per allocation, idle ones too', async () => {
    const document = { code: 200, data: [{ shop: allocation('shop', 1.25), __idle__: allocation('__idle__', 0.5) }] };
    const { format, rows, notes } = await translatedFile('allocation.json', JSON.stringify(document, null, 2));
    expect(format).toBe('opencost');
    expect(rows.map((row) => [row.ResourceId, row.EffectiveCost])).toEqual([
      ['shop', money('1.25')],
      ['__idle__', money('0.5')],
    ]);
    expect(rows[0]).toMatchObject({
      BillingAccountId: 'c1',
      Tags: '{"app":"shop"}',
      BillingPeriodEnd: '2024-10-01T00:00:00Z',
    });
    expect(notes).toEqual([expect.stringMatching(/USD/), expect.stringMatching(/count twice/)]);
  });

  test('a window in two months is refused', async () => {
    const wide = { ...allocation('a', 1), end: '2024-10-02T00:00:00Z' };
    const { problems } = await translatedFile('allocation.json', JSON.stringify({ data: [{ a: wide }] }));
    expect(problems).toEqual([expect.stringMatching(/two months/)]);
  });
});
