import { Failure } from '../../model/index.ts';
import type { ColumnStore } from '../../store/index.ts';
import type { CompiledLimit } from '../policy/compile.ts';
import { type CallLevel, countCalls } from '../queries.ts';
import { type Subject, subjectOf } from '../subject.ts';
import { levelsOf, partsUs } from './window.ts';

/** What calls say of one counter, in millionths of the limit's units. */
export interface CountedUnits {
  /** One of those who count there. */
  readonly subject: Subject;
  readonly counted: bigint;
  readonly refused: bigint;
  /** By part of the window, as `partsUs` gives them: what was counted and not refused. */
  readonly parts: Map<number, bigint>;
}

/** Why the calls of a limit's window could not be counted, in words. Fails  with whatever is no property of the window. */
export function uncounted(cause: unknown): string {
  if (cause instanceof Failure && cause.code === 'RANGE_DROPPED')
    return 'single calls of its window are no longer kept';
  if (cause instanceof Failure && cause.code === 'RANGE_TOO_LONG') return 'too many different callers in its window';
  throw cause;
}

/** Tells counters of a limit apart. */
export function counterKey({ policy }: CompiledLimit, subject: Subject): string {
  return JSON.stringify(policy.per.map((level) => subject[level]));
}

/**
 * Counts what the calls of a limit's window amount to, by counter.
 *
 * Takes  limit: one that can be compared. subject: only their counter; null: everybody's.
 * Gives  by `counterKey`; counters of which there is no call are not there.
 * Fails  RANGE_DROPPED, RANGE_TOO_LONG.
 */
export async function countUnits(
  columns: ColumnStore,
  limit: CompiledLimit,
  subject: Subject | null,
  nowUs: number,
): Promise<Map<string, CountedUnits>> {
  const { policy } = limit;
  const starts = partsUs(limit, subject ?? subjectOf({}), nowUs);
  const endUs = Math.min(policy.untilUs, Math.floor(nowUs) + 1);
  const fromUs = Math.max(policy.fromUs, starts[0]!);
  const counts = new Map<string, CountedUnits>();
  if (fromUs >= endUs) return counts;
  const asked = [fromUs, ...starts.filter((us) => us > fromUs && us < endUs)];
  const only = subject === null ? {} : namesOf(limit, subject);
  for (const row of await countCalls(columns, asked, endUs, levelsOf(policy), only)) {
    const whose = subjectOf(row);
    if (!policy.matches(whose)) continue;
    const weight = BigInt(policy.weightOf(row.endpoint));
    const key = counterKey(limit, whose);
    const known = counts.get(key) ?? { subject: whose, counted: 0n, refused: 0n, parts: new Map() };
    const part = starts.findLast((us) => us <= row.startUs) ?? starts[0]!;
    known.parts.set(part, (known.parts.get(part) ?? 0n) + (row.callsMicro - row.refusedMicro) * weight);
    const { counted, refused } = known;
    counts.set(key, {
      ...known,
      counted: counted + row.callsMicro * weight,
      refused: refused + row.refusedMicro * weight,
    });
  }
  return counts;
}

function namesOf({ policy }: CompiledLimit, subject: Subject): Partial<Record<CallLevel, string>> {
  const levels = policy.per.filter((level): level is CallLevel => level !== 'organisation');
  return Object.fromEntries(levels.map((level) => [level, subject[level]]));
}
