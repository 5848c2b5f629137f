import type { ColumnStore } from '../../src/store/index.ts';

/** The same columns as another object, for a test that changes some of its methods: `{ ...sameColumns(columns), query }`. */
export function sameColumns(columns: ColumnStore): ColumnStore {
  return {
    isEmbedded: columns.isEmbedded,
    query: (sql, params) => columns.query(sql, params),
    queryBytes: (sql, params) => columns.queryBytes(sql, params),
    command: (sql, params, token) => columns.command(sql, params, token),
    insertBlock: (table, block, token) => columns.insertBlock(table, block, token),
    insertFile: (table, shape, path) => columns.insertFile(table, shape, path),
    close: () => columns.close(),
  };
}

export interface Break {
  /** Which write it is; the first is 1. */
  readonly at: number;
  /** Whether it happens before the write took effect, or after. */
  readonly when: 'before' | 'after';
  /** Whether nothing can be written from then on: the process is dead. */
  readonly isDeath?: boolean;
  /** What the one who writes is told. */
  readonly cause?: () => unknown;
}

/** The same columns, but one write breaks. Takes  writes: how many there were; counts on. */
export function breakingColumns(columns: ColumnStore, broken: Break, writes = { count: 0 }): ColumnStore {
  const { at, when, isDeath = false } = broken;
  const cause = broken.cause ?? (() => new Error(when === 'before' ? 'the store went away' : 'the answer got lost'));
  const write = async (work: () => Promise<void>) => {
    writes.count += 1;
    if (writes.count === at && when === 'before') throw cause();
    if (writes.count > at && isDeath) throw cause();
    await work();
    if (writes.count === at) throw cause();
  };
  return {
    ...sameColumns(columns),
    command: (sql, params, token) => write(() => columns.command(sql, params, token)),
    insertBlock: (table, block, token) => write(() => columns.insertBlock(table, block, token)),
    insertFile: (table, shape, path) => write(() => columns.insertFile(table, shape, path)),
  };
}
