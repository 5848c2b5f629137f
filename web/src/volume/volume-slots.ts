import type { UsageRow } from '../api/contract.ts';
import type { UsageWindow } from '../api/questions.ts';
import { WINDOW_MS } from './volume-plan.ts';

/** One place on the time axis; without figures it is a gap: nothing was recorded, which is not the same as zero. */
export interface VolumeSlot {
  readonly startMs: number;
  readonly figures: { readonly calls: number; readonly errors: number } | null;
}

/** Rows on an unbroken time axis: windows that the answer leaves out become gaps. */
export function slotsFromRows(rows: readonly UsageRow[], window: UsageWindow): VolumeSlot[] {
  const stepMs = WINDOW_MS[window];
  const slots: VolumeSlot[] = [];
  for (const [startMs, figures] of figuresByStart(rows)) {
    const previousMs = slots.at(-1)?.startMs;
    // Rounded, because a local day has 23 or 25 hours when the clocks change.
    const steps = previousMs === undefined ? 1 : Math.round((startMs - previousMs) / stepMs);
    for (let step = 1; step < steps; step += 1)
      slots.push({ startMs: (previousMs ?? 0) + step * stepMs, figures: null });
    slots.push({ startMs, figures });
  }
  return slots;
}

/** Rows of one window may come several times, once per tenant or endpoint. */
function figuresByStart(rows: readonly UsageRow[]): [number, { calls: number; errors: number }][] {
  const byStart = new Map<number, { calls: number; errors: number }>();
  for (const row of rows) {
    if (row.start === undefined) continue;
    const startMs = Date.parse(row.start);
    const sum = byStart.get(startMs) ?? { calls: 0, errors: 0 };
    byStart.set(startMs, { calls: sum.calls + row.calls, errors: sum.errors + row.errors });
  }
  return [...byStart].sort(([a], [b]) => a - b);
}

export interface VolumeSummary {
  readonly calls: number;
  readonly errors: number;
  readonly errorShare: number | null;
  readonly gaps: number;
  readonly peak: VolumeSlot | null;
}

export function volumeSummary(slots: readonly VolumeSlot[]): VolumeSummary {
  let calls = 0;
  let errors = 0;
  let peak: VolumeSlot | null = null;
  for (const slot of slots) {
    calls += slot.figures?.calls ?? 0;
    errors += slot.figures?.errors ?? 0;
    if ((slot.figures?.calls ?? -1) > (peak?.figures?.calls ?? -1)) peak = slot;
  }
  const gaps = slots.filter((slot) => slot.figures === null).length;
  return { calls, errors, errorShare: calls === 0 ? null : errors / calls, gaps, peak };
}
