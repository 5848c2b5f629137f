import { useMemo } from 'react';
import type { UsageWindow } from '../api/questions.ts';
import { formatCount, formatShare } from '../figures/format-count.ts';
import { Unknown } from '../money/money-figure.tsx';
import type { FigureColumn } from '../table/column.ts';
import { FigureTable } from '../table/figure-table.tsx';
import { errorShare } from './volume-drawing.ts';
import type { VolumeSlot } from './volume-slots.ts';

interface VolumeTableProps {
  readonly slots: readonly VolumeSlot[];
  readonly words: (startMs: number) => string;
  readonly window: UsageWindow;
}

export function VolumeTable({ slots, words, window }: VolumeTableProps) {
  const columns = useMemo(() => volumeColumns(words), [words]);
  return (
    <FigureTable
      caption={`Calls and errors per ${window}`}
      rows={slots}
      rowKey={(slot) => String(slot.startMs)}
      columns={columns}
      sortedBy={{ id: 'start', desc: false }}
      rowsPerPage={24}
    />
  );
}

function volumeColumns(words: (startMs: number) => string): FigureColumn<VolumeSlot>[] {
  return [
    {
      id: 'start',
      title: 'From',
      isRowHeader: true,
      sortKey: (slot) => slot.startMs,
      cell: (slot) => words(slot.startMs),
    },
    countColumn('calls', 'Calls'),
    countColumn('errors', 'Errors'),
    {
      id: 'share',
      title: 'Error share',
      isNumeric: true,
      sortKey: errorShare,
      cell: (slot) => {
        const share = errorShare(slot);
        return share === null ? <Unknown why="unknown: no calls" /> : formatShare(share);
      },
    },
  ];
}

function countColumn(name: 'calls' | 'errors', title: string): FigureColumn<VolumeSlot> {
  return {
    id: name,
    title,
    isNumeric: true,
    sortKey: (slot) => slot.figures?.[name] ?? null,
    cell: ({ figures }) => (figures === null ? <Unknown why="nothing recorded" /> : formatCount(figures[name])),
  };
}
