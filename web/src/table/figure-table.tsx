import { Button } from '@mantine/core';
import {
  type ColumnDef,
  createPaginatedRowModel,
  createSortedRowModel,
  rowPaginationFeature,
  rowSortingFeature,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { useMemo } from 'react';
import { compareSortKeys, type FigureColumn, type SortKey } from './column.ts';
import styles from './figure-table.module.css';
import { SortHeader } from './sort-header.tsx';

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  rowPaginationFeature,
  paginatedRowModel: createPaginatedRowModel(),
});

interface FigureTableProps<T extends object> {
  readonly caption: string;
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
  readonly columns: readonly FigureColumn<T>[];
  readonly sortedBy?: { readonly id: string; readonly desc: boolean };
  readonly rowsPerPage?: number;
  readonly whenEmpty?: string;
}

/** A table of figures: every column sorts by mouse and keyboard, long ones are turned page by page. */
export function FigureTable<T extends object>(props: FigureTableProps<T>) {
  const { caption, rows, rowKey, columns, sortedBy, rowsPerPage = 25, whenEmpty = 'Nothing in this period.' } = props;
  const definitions = useMemo(() => columns.map((column) => definitionFromColumn(column)), [columns]);
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: rowKey,
    enableSortingRemoval: false,
    initialState: {
      sorting: sortedBy ? [{ ...sortedBy }] : [],
      pagination: { pageIndex: 0, pageSize: rowsPerPage },
    },
  });
  const shown = table.getRowModel().rows;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls sideways must be reachable by keyboard. */}
      <section className={styles.scroll} aria-label={`${caption}, scrolls sideways`} tabIndex={0}>
        <table className={styles.table}>
          <caption className="only-read-aloud">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <SortHeader
                  key={column.id}
                  column={column}
                  order={table.getColumn(column.id)?.getIsSorted() ?? false}
                  onSort={() => table.getColumn(column.id)?.toggleSorting()}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.id}>
                {columns.map((column) => (
                  <FigureCell key={column.id} column={column} row={row.original} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
        {shown.length === 0 && <p className={styles.none}>{whenEmpty}</p>}
      </section>
      <Pages
        pageIndex={table.state.pagination.pageIndex}
        pageSize={rowsPerPage}
        rowCount={rows.length}
        onTurn={(pageIndex) => table.setPageIndex(pageIndex)}
      />
    </>
  );
}

function definitionFromColumn<T extends object>(column: FigureColumn<T>): ColumnDef<typeof features, T, unknown> {
  return {
    id: column.id,
    accessorFn: (row: T) => column.sortKey(row) ?? undefined,
    sortUndefined: 'last',
    sortDescFirst: column.isNumeric === true,
    sortFn: (a, b, id) => compareSortKeys(a.getValue<SortKey>(id), b.getValue<SortKey>(id)),
  };
}

function FigureCell<T>({ column, row }: { readonly column: FigureColumn<T>; readonly row: T }) {
  if (column.isRowHeader) return <th scope="row">{column.cell(row)}</th>;
  return <td data-numeric={column.isNumeric || undefined}>{column.cell(row)}</td>;
}

interface PagesProps {
  readonly pageIndex: number;
  readonly pageSize: number;
  readonly rowCount: number;
  readonly onTurn: (pageIndex: number) => void;
}

function Pages({ pageIndex, pageSize, rowCount, onTurn }: PagesProps) {
  if (rowCount <= pageSize) return null;
  const first = pageIndex * pageSize + 1;
  const last = Math.min(rowCount, first + pageSize - 1);
  return (
    <div className={styles.pages}>
      <span role="status" className="figure">
        Rows {first} to {last} of {rowCount}
      </span>
      <span className={`${styles.turn} not-printed`}>
        <Button size="compact-xs" variant="default" disabled={pageIndex === 0} onClick={() => onTurn(pageIndex - 1)}>
          Previous
        </Button>
        <Button size="compact-xs" variant="default" disabled={last === rowCount} onClick={() => onTurn(pageIndex + 1)}>
          Next
        </Button>
      </span>
    </div>
  );
}
