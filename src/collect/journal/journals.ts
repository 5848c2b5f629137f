import { join } from 'node:path';
import { Journal, type JournalConfig } from './journal.ts';
import { SegmentKind } from './segment.ts';

/** Spans, metric points, events, and spans of large traces that wait until it is worth deciding these again. */
const names = ['work', 'samples', 'events', 'late'] as const;
type Name = (typeof names)[number];

/** The journals of a house: they share numbers and what may wait. */
export class Journals {
  readonly work: Journal;
  readonly samples: Journal;
  readonly events: Journal;
  readonly late: Journal;

  private constructor(journals: Readonly<Record<Name, Journal>>) {
    ({ work: this.work, samples: this.samples, events: this.events, late: this.late } = journals);
  }

  /** The largest number of a segment in a folder of journals; 0 when there is none. */
  static async largestId(folder: string): Promise<number> {
    const largest = await Promise.all(names.map((name) => Journal.largestId(join(folder, name))));
    return Math.max(...largest);
  }

  static async open(folder: string, shared: Omit<JournalConfig, 'folder' | 'kind' | 'othersBytes'>): Promise<Journals> {
    const opened: Partial<Record<Name, Journal>> = {};
    const othersBytes = (own: Name) => () =>
      sizeOf(names.flatMap((name) => (name === own ? [] : (opened[name] ?? []))));
    for (const name of names) {
      const kind = SegmentKind[name === 'late' ? 'work' : name];
      opened[name] = await Journal.open({
        ...shared,
        folder: join(folder, name),
        kind,
        othersBytes: othersBytes(name),
      });
    }
    return new Journals(opened as Record<Name, Journal>);
  }

  get all(): readonly Journal[] {
    return names.map((name) => this[name]);
  }

  get sizeBytes(): number {
    return sizeOf(this.all);
  }

  async close(): Promise<void> {
    for (const journal of this.all) await journal.close();
  }
}

function sizeOf(journals: readonly Journal[]): number {
  return journals.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
