import { queryOptions } from '@tanstack/react-query';
import type { CostAnswer, ReconcileAnswer, StatusAnswer, UsageAnswer } from './contract.ts';
import { apiPath, getAnswer } from './request.ts';

export interface InstantRange {
  readonly from: string;
  readonly to: string;
}

export type CostBy = 'tenant' | 'endpoint' | 'tenant,endpoint';
export type UsageWindow = 'minute' | 'hour' | 'day';

const EMPTY_POLL_MS = 2_000;

/** While nothing has arrived the page waits for the first call, so it asks often; later it asks only when shown again. */
export const statusQuestion = queryOptions({
  queryKey: ['status'],
  queryFn: ({ signal }) => getAnswer<StatusAnswer>(apiPath('status'), signal),
  refetchInterval: (query) => (query.state.data?.isEmpty ? EMPTY_POLL_MS : false),
});

export function costQuestion(range: InstantRange, by: CostBy) {
  return queryOptions({
    queryKey: ['cost', range.from, range.to, by],
    queryFn: ({ signal }) => getAnswer<CostAnswer>(apiPath('cost', { ...range, by }), signal),
  });
}

export function usageQuestion(range: InstantRange, window: UsageWindow, tz: string, by?: CostBy) {
  return queryOptions({
    queryKey: ['usage', range.from, range.to, window, tz, by ?? ''],
    queryFn: ({ signal }) => getAnswer<UsageAnswer>(apiPath('usage', { ...range, window, tz, by }), signal),
  });
}

export function reconcileQuestion(period: string) {
  return queryOptions({
    queryKey: ['reconcile', period],
    queryFn: ({ signal }) => getAnswer<ReconcileAnswer>(apiPath('reconcile', { period }), signal),
  });
}
