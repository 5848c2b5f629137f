import { randomInt } from 'node:crypto';
import { type Event, type Meter, OpenMeter } from '@openmeter/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ListeningHouse, openListeningHouse } from '../support/listening-house.ts';

const TOKEN = 'a-token-of-twenty-characters';
const MILLIS_PER_DAY = 86_400_000;
const noon = new Date('2024-03-31T12:00:00Z');

let opened: ListeningHouse;
beforeAll(async () => {
  opened = await openListeningHouse(1 << 22, TOKEN);
});
afterAll(() => opened.close());

/** Runs a test with the client as its users have it: given an address and a token, nothing else. */
async function withClient(test: (openmeter: OpenMeter, baseUrl: string) => Promise<void>): Promise<void> {
  await opened.listening(async ({ api }) => {
    const baseUrl = `http://127.0.0.1:${api}`;
    await test(new OpenMeter({ baseUrl, token: TOKEN }), baseUrl);
  });
}

const prompt = (subject: string, time: string, model: string, tokens: unknown): Event => ({
  ...{ id: `${subject} ${time} ${model}`, source: 'shop', type: 'prompt', subject, time: new Date(time) },
  data: { model, tokens, nested: { 'odd name': [model.length] } },
});

/** Around the night in which Berlin's clocks go from two to three. */
const prompts: Event[] = [
  prompt('acme', '2024-03-30T22:30:00Z', 'small', 10),
  prompt('acme', '2024-03-30T23:10:00Z', 'large', '0.1'),
  prompt('acme', '2024-03-31T00:59:59.999Z', 'large', 0.2),
  prompt('zoo, "the" one', '2024-03-31T01:00:00Z', 'small', '12345678901234567890.000000000000000001'),
  prompt('acme', '2024-03-31T21:59:59Z', 'small', 1),
  prompt('acme', '2024-03-31T22:00:00Z', 'small', 2),
  prompt('acme', '2024-03-31T10:00:00Z', 'small', 'many'),
];

describe('the client of OpenMeter, unchanged', () => {
  it('sends one event and many, and many again', async () => {
    await withClient(async (openmeter) => {
      await openmeter.events.ingest(prompts[0]!);
      await openmeter.events.ingest(prompts);
      await openmeter.events.ingest(prompts);
      await openmeter.events.ingest({ type: 'bare', subject: 'acme', data: {} });
      await opened.house.collector.settle();
      const events = await openmeter.events.list();
      expect(events).toHaveLength(prompts.length + 1);
      expect(events[0]).toMatchObject({ event: { type: 'bare', source: '@openmeter/sdk' } });
      expect(events[1]).toMatchObject({
        event: {
          ...{ specversion: '1.0', id: 'acme 2024-03-31T22:00:00Z small', source: 'shop', type: 'prompt' },
          ...{ subject: 'acme', time: '2024-03-31T22:00:00Z', datacontenttype: 'application/json' },
          data: { model: 'small', tokens: 2, nested: { 'odd name': [5] } },
        },
        ingestedAt: expect.stringMatching(/^20.*Z$/),
        storedAt: expect.stringMatching(/^20.*Z$/),
      });
      expect(await openmeter.events.list({ limit: 2 })).toHaveLength(2);
    });
  });

  it('makes meters, finds them, lists them', async () => {
    await withClient(async (openmeter) => {
      const tokens: Meter = {
        slug: 'tokens',
        description: 'Tokens',
        eventType: 'prompt',
        aggregation: 'SUM',
        windowSize: 'MINUTE',
        valueProperty: '$.tokens',
        groupBy: { model: '$.model', length: "$.nested['odd name'][0]" },
      };
      const made = await openmeter.meters.create(tokens);
      expect(made).toMatchObject(tokens);
      const count = { slug: 'prompts', eventType: 'prompt', aggregation: 'COUNT', windowSize: 'HOUR' } as const;
      await openmeter.meters.create(count);
      expect(await openmeter.meters.get('tokens')).toEqual(made);
      expect(await openmeter.meters.get(made.id!)).toEqual(made);
      expect((await openmeter.meters.list()).map(({ slug }) => slug)).toEqual(['prompts', 'tokens']);
      await expect(openmeter.meters.create(tokens)).rejects.toMatchObject({ statusCode: 409 });
      await expect(openmeter.meters.get('nowhere')).rejects.toMatchObject({ statusCode: 404 });
    });
  });

  it('asks for figures', async () => {
    await withClient(async (openmeter) => {
      const whole = await openmeter.meters.query('tokens');
      expect(whole).toEqual({
        data: [
          {
            ...{ value: Number('12345678901234567903.3'), valueExact: '12345678901234567903.300000000000000001' },
            ...{ windowStart: '2024-03-30T22:30:00Z', windowEnd: '2024-03-31T22:01:00Z', subject: null, groupBy: {} },
          },
        ],
      });
      const days = await openmeter.meters.query('tokens', {
        ...{ from: new Date('2024-03-29T23:00:00Z'), to: new Date('2024-04-01T22:00:00Z') },
        ...{ windowSize: 'DAY', windowTimeZone: 'europe/BERLIN', subject: ['acme'] },
      });
      expect(days).toMatchObject({ from: '2024-03-29T23:00:00Z', to: '2024-04-01T22:00:00Z', windowSize: 'DAY' });
      // Saturday of 24 hours, Sunday of 23, Monday.
      expect(days.data.map(({ value, windowStart, windowEnd }) => [value, windowStart, windowEnd])).toEqual([
        [10, '2024-03-29T23:00:00Z', '2024-03-30T23:00:00Z'],
        [1.3, '2024-03-30T23:00:00Z', '2024-03-31T22:00:00Z'],
        [2, '2024-03-31T22:00:00Z', '2024-04-01T22:00:00Z'],
      ]);
      const groups = await openmeter.meters.query('tokens', {
        ...{ groupBy: ['subject', 'model', 'length'], filterGroupBy: { model: 'small' }, to: noon },
      });
      expect(groups.data.map(({ value, subject, groupBy }) => [value, subject, groupBy])).toEqual([
        [10, 'acme', { model: 'small', length: '5' }],
        [Number('12345678901234567890'), 'zoo, "the" one', { model: 'small', length: '5' }],
      ]);
      await expect(openmeter.meters.query('tokens', { groupBy: ['colour'] })).rejects.toMatchObject({
        statusCode: 400,
        problem: { code: 'PARAMETER_INVALID', detail: expect.stringContaining('colour') },
      });
    });
  });

  it('is told which events no meter can read', async () => {
    await withClient(async (openmeter) => {
      const broken = (await openmeter.events.list()).filter(({ validationError }) => validationError !== undefined);
      expect(broken).toMatchObject([
        { event: { data: { tokens: 'many' } }, validationError: 'meter tokens: $.tokens is missing or no number' },
      ]);
      expect((await openmeter.meters.query('prompts')).data).toMatchObject([{ value: prompts.length }]);
    });
  });

  it('knows subjects', async () => {
    await withClient(async (openmeter) => {
      expect(await openmeter.meters.subjects('tokens')).toEqual(['acme', 'zoo, "the" one']);
      expect((await openmeter.subjects.list()).map(({ key }) => key)).toEqual(['acme', 'zoo, "the" one']);
      const told = { key: 'acme', displayName: 'Acme Ltd', metadata: { crm: '7' } };
      expect(await openmeter.subjects.upsert([told])).toMatchObject([told]);
      expect(await openmeter.subjects.get('acme')).toMatchObject(told);
      await openmeter.subjects.delete('acme');
      expect(await openmeter.subjects.get('acme')).toMatchObject({ key: 'acme', displayName: null, metadata: {} });
      await expect(openmeter.subjects.get('nobody')).rejects.toMatchObject({ statusCode: 404 });
    });
  });

  it('hears everything that is wrong with a batch, of which nothing is kept', async () => {
    await withClient(async (openmeter) => {
      const batch = [
        { type: 'wrong', subject: 'acme', data: {} },
        { type: 'wrong', subject: '', data: {} },
        { type: '', subject: 'acme', data: 'x' as unknown as Record<string, unknown> },
      ];
      await expect(openmeter.events.ingest(batch)).rejects.toMatchObject({
        statusCode: 400,
        problem: {
          code: 'EVENTS_INVALID',
          errors: [
            { path: '1.subject', message: '1.subject: is missing' },
            { path: '2.type', message: '2.type: is missing' },
            { path: '2.data', message: '2.data: must be an object' },
          ],
        },
      });
      await opened.house.collector.settle();
      expect(JSON.stringify(await openmeter.events.list())).not.toContain('wrong');
    });
  });

  it('sends one event 1,000 times with random times, and it counts once', async () => {
    await withClient(async (openmeter) => {
      await openmeter.meters.create({
        ...{ slug: 'retries', eventType: 'retry', aggregation: 'COUNT', windowSize: 'MINUTE' },
      });
      const repeat = (): Event => ({
        ...{ id: 'the one', source: 'shop', type: 'retry', subject: 'acme', data: {} },
        time: new Date(Date.now() + randomInt(-30 * MILLIS_PER_DAY, 30 * MILLIS_PER_DAY)),
      });
      for (let part = 0; part < 10; part++) {
        await Promise.all(Array.from({ length: 50 }, () => openmeter.events.ingest(repeat())));
        await openmeter.events.ingest(Array.from({ length: 50 }, repeat));
        if (part % 3 === 0) await opened.house.collector.settle();
      }
      await opened.house.collector.settle();
      expect((await openmeter.meters.query('retries')).data).toMatchObject([{ value: 1 }]);
    });
  });
});

describe('what the client does not do', () => {
  const headers = { authorization: `Bearer ${TOKEN}` };

  it('CSV for those who accept it', async () => {
    await withClient(async (_, baseUrl) => {
      const query = 'subject=zoo%2C%20%22the%22%20one&groupBy=model&windowSize=HOUR';
      const response = await fetch(`${baseUrl}/api/v1/meters/tokens/query?${query}`, {
        headers: { ...headers, accept: 'text/csv' },
      });
      expect(response.headers.get('content-type')).toBe('text/csv');
      expect((await response.text()).split('\r\n')).toEqual([
        'window_start,window_end,subject,model,value',
        '2024-03-31T01:00:00Z,2024-03-31T02:00:00Z,"zoo, ""the"" one",small,12345678901234567890.000000000000000001',
        '',
      ]);
    });
  });

  it('a question with a body, one with brackets, and one that is not understood', async () => {
    await withClient(async (_, baseUrl) => {
      const url = `${baseUrl}/api/v1/meters/tokens/query`;
      const body = JSON.stringify({ subject: ['acme'], filterGroupBy: { model: ['large'] }, windowSize: 'MONTH' });
      const asked = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
      });
      const byPost = (await asked.json()) as { data: object[] };
      expect(byPost.data).toMatchObject([{ value: 0.3, windowStart: '2024-03-01T00:00:00Z' }]);
      const query = 'subject[]=acme&filterGroupBy%5Bmodel%5D=large&windowSize=MONTH';
      expect(await (await fetch(`${url}?${query}`, { headers })).json()).toEqual(byPost);
      const unknown = await fetch(`${url}?filterCustomer=acme`, { headers });
      expect([unknown.status, await unknown.text()]).toEqual([400, expect.stringContaining('filterCustomer')]);
    });
  });

  it('ends a meter and makes it anew', async () => {
    await withClient(async (openmeter, baseUrl) => {
      const before = await openmeter.meters.get('retries');
      const gone = await fetch(`${baseUrl}/api/v1/meters/retries`, { method: 'DELETE', headers });
      expect(gone.status).toBe(204);
      await expect(openmeter.meters.get('retries')).rejects.toMatchObject({ statusCode: 404 });
      const { id: _, ...same } = before;
      const again = await openmeter.meters.create(same);
      expect(again.id).not.toBe(before.id);
      expect((await openmeter.meters.query('retries')).data).toMatchObject([{ value: 1 }]);
    });
  });

  it('events by what is wrong with them, by subject, by a part of their id', async () => {
    await withClient(async (_, baseUrl) => {
      const listed = async (query: string) => {
        const response = await fetch(`${baseUrl}/api/v1/events?${query}`, { headers });
        return ((await response.json()) as { event: { id: string } }[]).map(({ event }) => event.id);
      };
      expect(await listed('hasError=true')).toEqual(['acme 2024-03-31T10:00:00Z small']);
      expect(await listed('hasError=false&type=prompt&id=large')).toHaveLength(2);
      expect(await listed('subject=zoo%2C%20%22the%22%20one')).toHaveLength(1);
      expect(await listed('from=2024-03-31T21:59:59Z&to=2024-03-31T22:00:00Z')).toHaveLength(1);
      const long = await fetch(`${baseUrl}/api/v1/events?id=zoo`, { headers });
      expect(await long.text()).toContain('"tokens":"12345678901234567890.000000000000000001"');
    });
  });
});
