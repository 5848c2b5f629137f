import { afterAll, describe, expect, test } from 'vitest';
import { describeWith } from '../support/available.ts';
import { sharedData } from '../support/data.ts';
import { tempFolder } from '../support/temp-folder.ts';
import type { AuditInput } from './auditor/auditor.ts';
import { emptyHouse } from './empty-house.ts';
import { auditForm, type House } from './house.ts';
import { expectedOf, inputOf, realCases } from './real-case.ts';

const folder = tempFolder('five-commands');
afterAll(() => folder.remove());

type Step = 'traces' | 'metrics' | 'bill' | 'model';

const steps: Record<Step, (house: House, input: AuditInput) => Promise<void>> = {
  traces: (house, input) => house.ingestTraces(input.traces),
  metrics: (house, input) => house.ingestMetrics(input.metrics),
  bill: (house, input) => house.importBills(input.bills),
  model: (house, input) => house.apply(input.model),
};

/** The larger case takes long, so it goes through the orders in which most has to be corrected afterwards. */
const LARGE = {
  name: 'boutique',
  orders: ['with the model last', 'with the metrics first and the lines of traces shuffled'],
};

const orders: readonly (readonly [name: string, order: readonly Step[], seed: number | null])[] = [
  ['as the manual says', ['model', 'traces', 'metrics', 'bill'], null],
  ['with the model last', ['traces', 'metrics', 'bill', 'model'], null],
  ['with the bill first', ['bill', 'model', 'traces', 'metrics'], null],
  ['with the metrics first and the lines of traces shuffled', ['metrics', 'model', 'traces', 'bill'], 20250101],
];

for (const realCase of realCases) {
  describeWith(sharedData(realCase.name), `${realCase.name}: apply, ingest, bill import, allocate, cost`, (data) => {
    const input = inputOf(realCase, data);
    const { stats: _, ...expected } = expectedOf(data);
    const chosen = orders.filter(([name]) => realCase.name !== LARGE.name || LARGE.orders.includes(name));
    describe.each(chosen)('%s', (name, order, seed) => {
      test('gives every digit that is expected, also after every step was repeated', async () => {
        const traces = seed === null ? input.traces : shuffledLines(input.traces, seed);
        const house = await emptyHouse(`${folder.path}/${realCase.name} ${name}`);
        try {
          for (const step of order) await steps[step](house, { ...input, traces });
          await house.allocate(input);
          expect(auditForm(await house.report(input))).toEqual(expected);
          for (const step of order) await steps[step](house, { ...input, traces });
          expect(await house.allocate(input)).toMatchObject({ posted: 0, reversed: 0, rows: 0 });
          expect(auditForm(await house.report(input))).toEqual(expected);
        } finally {
          await house.close();
        }
      });
    });
  });
}

/** Shuffles requests; those that bring the same span again keep their order, because the first one counts. */
function shuffledLines(lines: readonly string[], seed: number): string[] {
  const shuffled = shuffle(lines, seed);
  const place = new Map<string, number>();
  lines.forEach((line, at) => {
    for (const id of spanIds(line)) if (!place.has(id)) place.set(id, at);
  });
  const isLaterCopy = (line: string) => spanIds(line).some((id) => place.get(id)! < lines.indexOf(line));
  return [...shuffled.filter((line) => !isLaterCopy(line)), ...lines.filter(isLaterCopy)];
}

function spanIds(line: string): string[] {
  return [...line.matchAll(/"traceId":\s*"(\w+)",\s*"spanId":\s*"(\w+)"/g)].map(([, trace, span]) => `${trace}${span}`);
}

/** Fisher and Yates over a linear congruential generator: the same seed, the same order. */
function shuffle<Item>(items: readonly Item[], seed: number): Item[] {
  const shuffled = [...items];
  let state = seed;
  for (let at = shuffled.length - 1; at > 0; at--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const other = Math.floor((state / 2_147_483_648) * (at + 1));
    [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
  }
  return shuffled;
}
