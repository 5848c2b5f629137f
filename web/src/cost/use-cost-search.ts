import { getRouteApi } from '@tanstack/react-router';
import type { CostSearch } from './cost-search.ts';

const route = getRouteApi('/cost');

/** The choices in the page's address, and the way to change some of them and keep the rest. */
export function useCostSearch(): { search: CostSearch; change: (changes: CostSearch) => void } {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (changes: CostSearch) =>
    void navigate({ search: (previous) => ({ ...previous, ...changes }), replace: false, resetScroll: false });
  return { search, change };
}
