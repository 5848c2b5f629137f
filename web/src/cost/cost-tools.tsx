import { SegmentedControl } from '@mantine/core';
import type { CostView } from './cost-search.ts';
import { useCostSearch } from './use-cost-search.ts';

/** How the rows are looked at: by what, for how many calls, with how many digits. */
export function CostTools() {
  const { search, change } = useCostSearch();
  return (
    <>
      <SegmentedControl
        size="xs"
        aria-label="Rows by"
        data={[
          { value: 'endpoint', label: 'Endpoint' },
          { value: 'tenant', label: 'Tenant' },
          { value: 'both', label: 'Both' },
        ]}
        value={search.view ?? 'endpoint'}
        onChange={(view) => change({ view: view === 'endpoint' ? undefined : (view as CostView) })}
      />
      <SegmentedControl
        size="xs"
        aria-label="Cost for"
        data={[
          { value: '1', label: 'Per call' },
          { value: '1000', label: 'Per 1,000' },
        ]}
        value={search.per ?? '1'}
        onChange={(per) => change({ per: per === '1000' ? '1000' : undefined })}
      />
      <SegmentedControl
        size="xs"
        aria-label="Digits of amounts"
        data={[
          { value: 'short', label: 'Rounded' },
          { value: 'exact', label: 'Exact' },
        ]}
        value={search.digits ?? 'short'}
        onChange={(digits) => change({ digits: digits === 'exact' ? 'exact' : undefined })}
      />
    </>
  );
}
