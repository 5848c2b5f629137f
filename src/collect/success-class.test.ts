import { expect, it } from 'vitest';
import { openedStore } from '../../test/support/opened-store.ts';
import { rpcStatusOf, type SuccessClass, successClassOf, successClassSql } from './success-class.ts';

const { store } = await openedStore('success-class');

it.each<readonly [text: string, status: number]>([
  ['0', 1000],
  ['16', 1016],
  ['17', 0],
  ['OK', 1000],
  ['DEADLINE_EXCEEDED', 1004],
  ['not_found', 1005],
  ['canceled', 1001],
  ['-32600', 0],
  ['', 0],
])('the code %j of gRPC is stored as %d', (text, status) => {
  expect(rpcStatusOf(text)).toBe(status);
});

it.each<readonly [what: string, status: number, isError: boolean, ended: SuccessClass]>([
  ['nothing said', 0, false, 'unknown'],
  ['a span that failed', 0, true, 'server_error'],
  ['HTTP 200', 200, false, 'success'],
  ['HTTP 200 of a GraphQL call that failed', 200, true, 'server_error'],
  ['HTTP 304', 304, false, 'success'],
  ['HTTP 404, told as an error', 404, true, 'client_error'],
  ['HTTP 499', 499, false, 'client_error'],
  ['HTTP 503', 503, false, 'server_error'],
  ['gRPC OK', 1000, false, 'success'],
  ['gRPC NOT_FOUND', 1005, false, 'client_error'],
  ['gRPC UNAVAILABLE', 1014, false, 'server_error'],
])('%s: status %d, failed %s is %s', (_, status, isError, ended) => {
  expect(successClassOf(status, isError)).toBe(ended);
});

it('the engine says the same of every status', async () => {
  const rows = await store.columns.query<{ s: number; e: number; class: string }>(
    `SELECT status AS s, is_error AS e, ${successClassSql} AS class
     FROM (SELECT toUInt16(number % 1100) AS status, toUInt8(intDiv(number, 1100)) AS is_error FROM numbers(2200))`,
  );
  expect(rows).toHaveLength(2200);
  expect(rows.filter((row) => row.class !== successClassOf(row.s, row.e === 1))).toEqual([]);
});
