import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';

let opened: ListeningHouse;
beforeAll(async () => {
  opened = await openListeningHouse(1 << 20);
});
afterAll(() => opened.close());

const json = { 'content-type': 'application/json' };
const document = (spec: object) =>
  JSON.stringify({
    apiVersion: 'taximeter/v1',
    kind: 'TenantMap',
    metadata: { name: 'm', effectiveFrom: '2022-01-01' },
    spec,
  });

const used = (subject: string, tokens: number, model: string) => ({
  ...{ specversion: '1.0', id: `${subject} ${tokens}`, source: 'shop', type: 'prompt', subject },
  data: { tokens, model, tenant: `of ${model}` },
});
const events = [
  ...[used('key-1', 1, 'small'), used('key-2', 10, 'large'), used('ada@example.com', 100, 'small')],
  ...[used('nobody', 1_000, 'small'), used('key-1', 10_000, 'large')],
];

async function send(base: string, method: string, path: string, body: string, type = json): Promise<void> {
  const answer = await fetch(`${base}/api/v1/${path}`, { method, headers: type, body });
  expect(answer.ok, await answer.text()).toBe(true);
}

it('a meter tells tenants apart by the consumers that a document names, or by a group of its own', async () => {
  await opened.listening(async ({ api }) => {
    const base = `http://127.0.0.1:${api}`;
    const meter = { slug: 'tokens', eventType: 'prompt', aggregation: 'SUM', valueProperty: '$.tokens' };
    await send(base, 'POST', 'meters', JSON.stringify({ ...meter, groupBy: { model: '$.model' } }));
    await send(base, 'POST', 'meters', JSON.stringify({ ...meter, slug: 'own', groupBy: { tenant: '$.tenant' } }));
    await send(base, 'POST', 'events', JSON.stringify(events));
    await opened.house.collector.settle();
    const figures = async (slug: string, query: string) => {
      const answer = await fetch(`${base}/api/v1/meters/${slug}/query?${query}`);
      const { data } = (await answer.json()) as { data: { value: number; groupBy: Record<string, string> }[] };
      return Object.fromEntries(data.map(({ value, groupBy }) => [Object.values(groupBy).join(' '), value]));
    };
    expect(await figures('tokens', 'groupBy=tenant')).toEqual({ '(unknown)': 11_111 });
    const consumers = { 'key-1': 'acme', 'key-2': 'zoo', 'ada@example.com': 'acme' };
    await send(base, 'POST', 'documents', document({ consumers, rename: { zoo: 'Zoo Ltd' } }), {
      'content-type': 'application/yaml',
    });
    expect(await figures('tokens', 'groupBy=tenant')).toEqual({ acme: 10_101, 'Zoo Ltd': 10, '(unknown)': 1_000 });
    expect(await figures('tokens', 'groupBy=tenant,model&filterGroupBy[tenant]=acme')).toEqual({
      ...{ 'acme small': 101, 'acme large': 10_000 },
    });
    expect(await figures('tokens', 'filterGroupBy[tenant]=Zoo Ltd&filterGroupBy[model]=small')).toEqual({});
    expect(await figures('own', 'groupBy=tenant')).toEqual({ 'of small': 1_101, 'of large': 10_010 });
    // The address is kept as a pseudonym; whoever asks by it finds it all the same.
    const one = await fetch(`${base}/api/v1/meters/tokens/query?subject=ada%40example.com`);
    expect(await one.json()).toMatchObject({ data: [{ value: 100, subject: expect.stringMatching(/^p_/) }] });
    const unknown = await fetch(`${base}/api/v1/meters/tokens/query?groupBy=colour`);
    expect(unknown.status).toBe(400);
  });
});
