import { afterAll, expect, it } from 'vitest';
import { Collector } from '../../src/collect/index.ts';
import { applyVersions, openStore } from '../../src/store/index.ts';
import { tempFolder } from '../support/temp-folder.ts';

const folder = tempFolder('ignored-attributes');
afterAll(() => folder.remove());

it('attributes that all TenantMap documents together have too many of are told by name', async () => {
  const store = await openStore({ folder: folder.path });
  const warnings: unknown[] = [];
  const collector = await Collector.open({
    ...{ store, folder: folder.path, nowMs: Date.now, loadEveryMs: 3_600_000, journalCapacityBytes: 2 ** 31 },
    warn: (message, facts) => warnings.push([message, facts]),
  });
  expect(warnings).toEqual([]);
  const documents = [0, 10].map((from) => ({
    ...{ kind: 'TenantMap', name: `map-${from}`, effectiveFromMs: Date.UTC(2025, 0), reason: 'test' },
    spec: {
      attributes: Array.from({ length: 10 }, (_, at) => `a${from + at}`),
      headers: [],
      hosts: {},
      paths: [],
      consumers: {},
      rename: {},
      unknown: 'keep',
    },
  }));
  await applyVersions(store.documents, documents, 'test', new Date());
  await collector.applyNaming();
  expect(warnings).toEqual([[expect.stringContaining('TenantMap'), { ignored: 'a16, a17, a18, a19' }]]);
  await collector.close();
  await store.close();
});
