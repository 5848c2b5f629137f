import { CloseButton } from '@mantine/core';
import styles from './cost.module.css';
import { useCostSearch } from './use-cost-search.ts';

/** Whom the page is narrowed to, and the way back. */
export function FilterChips() {
  const { search, change } = useCostSearch();
  const chips = (['tenant', 'endpoint'] as const).flatMap((by) => {
    const value = search[by];
    return value === undefined ? [] : [{ by, value }];
  });
  if (chips.length === 0) return null;
  return (
    <div className={styles.chips}>
      {chips.map(({ by, value }) => (
        <span key={by} className={styles.chip}>
          <span>
            <span className="quiet">{by}</span> {value}
          </span>
          <CloseButton
            size="xs"
            radius="xl"
            aria-label={`Show every ${by}, not only ${value}`}
            onClick={() => change({ [by]: undefined })}
          />
        </span>
      ))}
      <span className="quiet">Calls and cost per call are of this only; the bill and its parts are everybody's.</span>
    </div>
  );
}
