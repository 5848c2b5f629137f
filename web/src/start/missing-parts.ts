import type { StatusAnswer } from '../api/contract.ts';
import type { StartStep } from './snippets.ts';

export interface MissingPart {
  readonly title: string;
  readonly consequence: string;
  readonly steps: readonly StartStep[];
}

type Known = Pick<StatusAnswer, 'isEmpty' | 'calls' | 'charges' | 'models'>;

/** What is still missing before every figure of the page can be trusted, and what follows from that. */
export function missingParts(status: Known): MissingPart[] {
  if (status.isEmpty) return [];
  const missing: MissingPart[] = [];
  if (status.calls === 0)
    missing.push({
      title: 'There is a bill, but no calls yet',
      consequence: 'Nobody can be charged: the whole bill is idle or out of scope until calls arrive.',
      steps: ['otlp', 'log'],
    });
  if (status.charges === 0)
    missing.push({
      title: 'There are calls, but no bill yet',
      consequence:
        'Calls are counted. Their cost holds only the fixed amounts of the cost model until a bill is imported.',
      steps: ['bill'],
    });
  if (status.models.length === 0)
    missing.push({
      title: 'There is no cost model yet',
      consequence: 'No pool takes any charge: all of the bill is out of scope until a model is applied.',
      steps: ['model'],
    });
  return missing;
}
