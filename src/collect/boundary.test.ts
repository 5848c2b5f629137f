import { describe, expect, it } from 'vitest';
import { openedStore } from '../../test/support/opened-store.ts';
import { applyVersions } from '../store/index.ts';
import { boundaryInForce } from './boundary.ts';

const { store } = await openedStore('boundary');

describe('which source counts the calls of a service', () => {
  it.each<readonly [string, readonly object[], readonly string[], readonly string[]]>([
    ['no document: both', [], ['a', 'b', 'c'], ['a', 'b', 'c']],
    ['a boundary: spans of its services only', [{ services: ['a'] }], ['a'], ['a', 'b', 'c']],
    ['by traces: no lines of its services', [{ services: ['a'], countedBy: 'traces' }], ['a'], ['b', 'c']],
    ['by logs: spans of all others', [{ services: ['a'], countedBy: 'logs' }], ['b', 'c'], ['a', 'b', 'c']],
    [
      'one by logs, one by traces',
      [
        { services: ['a'], countedBy: 'logs' },
        { services: ['b'], countedBy: 'traces' },
      ],
      ['b'],
      ['a', 'c'],
    ],
  ])('%s', async (_, specs, spansOf, linesOf) => {
    await store.documents.deleteFrom('document').execute();
    const versions = specs.map((spec, place) => ({
      ...{ kind: 'Boundary', name: `b${place}`, effectiveFromMs: 0, spec, reason: '' },
    }));
    await applyVersions(store.documents, versions, 'test', new Date());
    const rules = await boundaryInForce(store.documents);
    expect(['a', 'b', 'c'].filter(rules.isBoundary)).toEqual(spansOf);
    expect(['a', 'b', 'c'].filter(rules.countsLogsOf)).toEqual(linesOf);
  });
});
