import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { drivers } from '../../model/index.ts';
import { documentsOf } from './documents.ts';
import { simulation } from './shape.ts';

it('writes a boundary and a cost model in force from the first of the month', () => {
  const sim = simulation({ seed: 1, start: '2026-10-15', days: 3 });
  const documents = parseAllDocuments(documentsOf(sim));
  expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
  const [boundary, model] = documents.map((document) => document.toJS());
  expect(boundary).toMatchObject({ kind: 'Boundary', spec: { services: ['api-gateway'] } });
  expect(model).toMatchObject({ kind: 'CostModel', metadata: { effectiveFrom: '2026-10-01' } });
  expect(model.spec.pools.filter(({ driver }: { driver: never }) => !drivers.includes(driver))).toEqual([]);
  expect(new Set(model.spec.pools.map(({ kind }: { kind: string }) => kind))).toEqual(new Set(['direct', 'indirect']));
});
