import type { CompiledLimit, CompiledPolicy } from '../policy/compile.ts';
import type { CallLevel } from '../queries.ts';
import type { Subject } from '../subject.ts';

/** Why a limit cannot be held against calls; null where it can. */
export function incomparable({ algorithm, spec, policy }: CompiledLimit): string | null {
  if (algorithm === 'rate') return 'a rate remembers no window';
  if (algorithm === 'concurrency') return 'calls under way are no count of calls';
  if (spec.money !== undefined) return 'what each call was taken to cost is not kept';
  if (spec.unit !== 'requests') return `calls do not say how many ${spec.unit} they took`;
  if (policy.per.includes('organisation') || policy.spec.match.organisations !== undefined)
    return 'calls do not say their organisation';
  return null;
}

/** The parts of the window that holds an instant: where each begins. Of windows that are one number there is one. */
export function partsUs(limit: CompiledLimit, subject: Subject, nowUs: number): number[] {
  const { algorithm, length, parts, partUs } = limit;
  if (algorithm === 'rolling') {
    const last = Math.floor(nowUs / partUs);
    return Array.from({ length: parts + 1 }, (_, i) => (last - parts + i) * partUs);
  }
  if (algorithm === 'fixed') return [Math.floor(nowUs / length) * length];
  return [limit.calendarOf(subject)!.at(nowUs).startUs];
}

/** Whether everybody has the same windows. */
export function hasOwnWindows({ spec }: CompiledLimit): boolean {
  return spec.window?.calendar === 'anniversary';
}

/** By what calls must be told apart to know whose counter they count in, and how much. */
export function levelsOf({ per, spec }: CompiledPolicy): CallLevel[] {
  const levels = new Set<CallLevel>(per.filter((level) => level !== 'organisation'));
  if (spec.match.tenants !== undefined) levels.add('tenant');
  if (spec.match.consumers !== undefined) levels.add('consumer');
  if (spec.match.endpoints !== undefined || Object.keys(spec.weights).length > 0) levels.add('endpoint');
  return [...levels];
}
