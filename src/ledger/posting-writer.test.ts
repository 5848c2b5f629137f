import { afterAll, expect, test } from 'vitest';
import { inHouse } from '../../test/flow/empty-house.ts';
import { AUGUST, billOf, callRequest, modelOf } from '../../test/flow/small-input.ts';
import { sameColumns } from '../../test/support/same-columns.ts';
import { tempFolder } from '../../test/support/temp-folder.ts';
import { fail, parseRange } from '../model/index.ts';
import type { Block, ColumnStore, Store } from '../store/index.ts';
import { postAllocation } from './ledger.ts';

const folder = tempFolder('posting-writer');
afterAll(() => folder.remove());

/** The same store, whose inserts go through a function. */
function withInserts(store: Store, insert: (block: Block, token: string) => Promise<void>): Store {
  const insertBlock: ColumnStore['insertBlock'] = (_table, block, token) => insert(block, token);
  return { ...store, columns: { ...sameColumns(store.columns), insertBlock } };
}

test('a block that fails fails the allocation, whatever comes after it; the next one ends it', () =>
  inHouse(folder.path, async (house) => {
    const september = { BillingPeriodStart: '2022-09-01T00:00:00Z', BillingPeriodEnd: '2022-10-01T00:00:00Z' };
    await house.apply(modelOf());
    await house.ingestTraces([callRequest({ id: 1, tenant: 'acme' })]);
    await house.importBills([billOf([{ EffectiveCost: '3' }, { ...september, EffectiveCost: '4' }])]);
    const range = parseRange(AUGUST.from, AUGUST.to);
    const tokens: string[] = [];
    let onTheWay = 0;
    const failing = withInserts(house.store, async (block, token) => {
      onTheWay += 1;
      tokens.push(token);
      try {
        if (tokens.length === 1) throw fail('STORE_UNAVAILABLE');
        await house.store.columns.insertBlock('postings', block, token);
      } finally {
        onTheWay -= 1;
      }
    });
    await expect(postAllocation(failing, range, new Date())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(onTheWay).toBe(0);
    expect(await postAllocation(failing, range, new Date())).toMatchObject({ slices: 2, posted: 2, unchanged: 0 });
    // No block is sent before the one that it follows has arrived. What was not posted is sent under the name it had, so that a late arrival of the first attempt changes nothing.
    expect([tokens.length, new Set(tokens).size, tokens[1]]).toEqual([3, 2, tokens[0]]);
    const { identity } = await house.report(AUGUST);
    expect(identity).toMatchObject({ tenants: '7.000000000000000000', residual: '0.000000000000000000' });
  }));
