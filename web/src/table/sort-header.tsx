import type { FigureColumn } from './column.ts';
import styles from './figure-table.module.css';

interface SortHeaderProps<T> {
  readonly column: FigureColumn<T>;
  readonly order: 'asc' | 'desc' | false;
  readonly onSort: () => void;
}

export function SortHeader<T>({ column, order, onSort }: SortHeaderProps<T>) {
  const ariaSort = order === false ? undefined : order === 'asc' ? 'ascending' : 'descending';
  return (
    <th scope="col" aria-sort={ariaSort} data-numeric={column.isNumeric || undefined}>
      <button type="button" className={styles.sort} onClick={onSort}>
        {column.title}
        <svg className={styles.arrow} viewBox="0 0 8 8" aria-hidden="true" focusable="false">
          <path d={order === 'asc' ? 'M0 6 4 1l4 5z' : 'M0 2l4 5 4-5z'} fill="currentColor" />
        </svg>
      </button>
    </th>
  );
}
