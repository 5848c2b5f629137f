import type { Line, PartUnits } from './counter-store.ts';
import { LARGEST_SUM, type Place } from './counters.ts';

/** Sets a counter that was brought up to now. A window or a part that is over, or has not begun, is left out; the part under way never falls. */
export function putUnits(
  { state, at, ring, ringAt }: Place,
  { limit, amount }: Line,
  units: PartUnits,
  mayFall: boolean,
  nowUs: number,
): void {
  for (const [startUs, counted] of units) {
    if (limit.algorithm !== 'rolling') {
      if (state[at + 1] === startUs) state[at] = mayFall ? counted : Math.max(state[at]!, counted);
      continue;
    }
    const [part, last] = [startUs / limit.partUs, state[at + 1]!];
    if (part > last || last - part > limit.parts) continue;
    const slot = ringAt + (part % (limit.parts + 1));
    const most = ring instanceof Uint32Array ? 2 ** 32 - 1 : LARGEST_SUM;
    const next = Math.min(mayFall && part < last ? counted : Math.max(ring![slot]!, counted), most);
    state[at]! += next - ring![slot]!;
    ring![slot] = next;
  }
  if (state[at]! <= amount) state[at + 2] = 0;
  else if (state[at + 2] === 0) state[at + 2] = nowUs;
}
