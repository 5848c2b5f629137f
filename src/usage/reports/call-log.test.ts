import { beforeAll, describe, expect, test } from 'vitest';
import { openedHouse } from '../../../test/flow/opened-house.ts';
import { callRequest } from '../../../test/flow/small-input.ts';
import { parseRange } from '../../model/index.ts';
import { type CallLogQuestion, callLog, type LoggedCall } from './call-log.ts';

const now = new Date('2022-08-10T00:00:00Z');
const calls = Array.from({ length: 400 }, (_, place) => ({
  ...{ id: place + 1, tenant: `t${place % 4}`, route: `/${place % 3}`, durationMs: place },
  // Many at the same instant, too.
  atMs: ((place * 977 * 60_000) % (5 * 86_400_000)) - (place % 7 === 0 ? (place * 977 * 60_000) % 86_400_000 : 0),
}));

const { house } = await openedHouse('call-log');
beforeAll(async () => {
  await house.ingestTraces(calls.map((call) => callRequest(call)));
});

const all: CallLogQuestion = {
  ...{
    range: parseRange('2022-08-01', '2022-08-06'),
    only: {},
    traceId: '',
    statusCode: null,
    limit: 1000,
    cursor: '',
  },
};

async function pages(
  question: CallLogQuestion,
  between: () => Promise<unknown> = async () => null,
): Promise<LoggedCall[]> {
  const rows: LoggedCall[] = [];
  for (let cursor: string | null = ''; cursor !== null; await between()) {
    const page: Awaited<ReturnType<typeof callLog>> = await callLog(house.store, { ...question, cursor }, now);
    expect(page.rows.length).toBeLessThanOrEqual(question.limit);
    rows.push(...page.rows);
    cursor = page.next;
  }
  return rows;
}

const idOf = ({ traceId }: LoggedCall) => Number.parseInt(traceId, 16);

describe('the log of calls', () => {
  test('has every call once, newest first, with what is known of it', async () => {
    const { rows, calls: count, next } = await callLog(house.store, all, now);
    expect({ count, next }).toEqual({ count: 400, next: null });
    expect(new Set(rows.map(idOf)).size).toBe(400);
    expect(rows.map(({ time }) => time)).toEqual(
      rows
        .map(({ time }) => time)
        .sort()
        .reverse(),
    );
    expect(rows.find((row) => idOf(row) === 6)).toEqual({
      ...{
        time: '2022-08-04T09:25:00.000000000Z',
        tenant: 't1',
        endpoint: 'GET /2',
        consumer: '',
        kind: 'rest',
        status: 0,
      },
      ...{ isError: false, durationMs: 5, service: 'api', region: '', version: '', flags: '', weight: 1 },
      ...{ bytesIn: null, bytesOut: null, traceId: '6'.padStart(32, '0'), spanId: '6'.padStart(16, '0') },
    });
  });

  test.each([3, 50, 399, 400])('in pages of %i they are the same', async (limit) => {
    const few = limit === 3 ? { ...all, range: parseRange('2022-08-01', '2022-08-01T06:00') } : all;
    const whole = await callLog(house.store, few, now);
    expect(await pages({ ...few, limit })).toEqual(whole.rows);
  });

  test.each<[string, Partial<CallLogQuestion>, (call: (typeof calls)[number]) => boolean]>([
    ['a tenant', { only: { tenant: ['t1'] } }, ({ tenant }) => tenant === 't1'],
    ['an endpoint', { only: { endpoint: ['GET /2'] } }, ({ route }) => route === '/2'],
    [
      'both',
      { only: { tenant: ['t1'], endpoint: ['GET /2'] } },
      ({ tenant, route }) => tenant === 't1' && route === '/2',
    ],
    ['a kind', { only: { kind: ['rest'] } }, () => true],
    ['a status that there is not', { statusCode: 500 }, () => false],
    ['a trace', { traceId: '11'.padStart(32, '0') }, ({ id }) => id === 0x11],
    ['a consumer that there is not', { only: { consumer: ['nobody'] } }, () => false],
  ])('is searched by %s', async (_name, asked, isMeant) => {
    const rows = await pages({ ...all, ...asked, limit: 60 });
    expect(rows.map(idOf).sort((a, b) => a - b)).toEqual(calls.filter(isMeant).map(({ id }) => id));
  });

  test('calls that arrive meanwhile move no later page', async () => {
    let id = 1_000;
    const arriving = () => house.ingestTraces([callRequest({ id: id++, atMs: 5 * 86_400_000 - 1 })]);
    const rows = await pages({ ...all, only: { tenant: ['t0', 'acme'] }, limit: 40 }, arriving);
    expect(rows.map(idOf).sort((a, b) => a - b)).toEqual(
      calls.filter(({ tenant }) => tenant === 't0').map(({ id }) => id),
    );
  });

  test.each(['x', 'WyIxIl0', Buffer.from('["1","2","3"]').toString('base64url')])(
    'the cursor %s is refused',
    async (cursor) => {
      await expect(callLog(house.store, { ...all, cursor }, now)).rejects.toMatchObject({ code: 'PARAMETER_INVALID' });
    },
  );
});
