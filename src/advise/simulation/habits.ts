import { MILLIS_PER_HOUR } from '../../model/index.ts';
import type { Simulation } from './shape.ts';

const MS_PER_DAY = 24 * MILLIS_PER_HOUR;
const STORM_HOURS = 3;
const STORM_STARTS_AT_HOUR = 13;
const LOOP_FROM_HOUR = 1;
const LOOP_TO_HOUR = 5;

/** How much the growing tenant calls compared with its share: 0.4 at first, 1.8 at the end of the range. */
export function growthAt(sim: Simulation, atMs: number): number {
  return 0.4 + (1.4 * (atMs - sim.fromMs)) / (sim.toMs - sim.fromMs);
}

/** When the storm rages: three hours from 13:00 UTC, in the middle of the range. */
export function stormOf(sim: Simulation): { fromMs: number; toMs: number } {
  const middleDay = Math.floor((sim.toMs - sim.fromMs) / MS_PER_DAY / 2);
  const earliestMs = sim.fromMs + middleDay * MS_PER_DAY;
  const sameDayMs = earliestMs - (earliestMs % MS_PER_DAY) + STORM_STARTS_AT_HOUR * MILLIS_PER_HOUR;
  const fromMs = sameDayMs >= earliestMs ? sameDayMs : sameDayMs + MS_PER_DAY;
  return { fromMs, toMs: fromMs + STORM_HOURS * MILLIS_PER_HOUR };
}

/** Calls an hour that the storming tenant adds: twice what all tenants together send on average. */
export function stormRateAt(sim: Simulation, atMs: number): number {
  const storm = stormOf(sim);
  return atMs >= storm.fromMs && atMs < storm.toMs ? sim.callsPerHour * 2 : 0;
}

/** Calls an hour that the looping tenant adds, evenly, every night. */
export function loopRateAt(sim: Simulation, atMs: number): number {
  const hour = Math.floor((atMs % MS_PER_DAY) / MILLIS_PER_HOUR);
  return hour >= LOOP_FROM_HOUR && hour < LOOP_TO_HOUR ? sim.callsPerHour / 2 : 0;
}
