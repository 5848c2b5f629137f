import type { Slot } from './attributes.ts';
import type { AttributeSlots } from './span-draft.ts';

/** The first of these places that holds a text; -1 is none. */
export function firstText(attributes: AttributeSlots, slots: readonly Slot[]): Slot {
  for (let i = 0; i < slots.length; i++) if (attributes.has(slots[i]!)) return slots[i]!;
  return -1;
}

/** The first number at these places; -1 is none. */
export function firstNumber(attributes: AttributeSlots, slots: readonly Slot[]): number {
  for (let i = 0; i < slots.length; i++) {
    const value = attributes.number(slots[i]!);
    if (value >= 0) return value;
  }
  return -1;
}
