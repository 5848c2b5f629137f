import { setNumberText } from './attribute-protobuf.ts';
import { type AttributeNames, TEXT_SLOTS } from './attributes.ts';
import { firstListed, type JsonAttribute, listOf, valueText } from './json.ts';
import type { AttributeSlots } from './span-draft.ts';

/** Puts a list of attributes of OTLP/JSON into the slots that they have; the others are passed over. */
export function fillSlots(slots: AttributeSlots, names: AttributeNames, attributes: unknown): void {
  for (const attribute of listOf<JsonAttribute>(attributes, 'attributes')) {
    const slot = typeof attribute.key === 'string' ? names.slotOf(attribute.key) : -1;
    if (slot < 0) continue;
    const text = valueText(attribute.value) ?? (slot < TEXT_SLOTS ? firstListed(attribute.value) : undefined);
    if (text === undefined) continue;
    if (slot < TEXT_SLOTS) slots.setText(slot, text);
    else if (typeof attribute.value?.doubleValue === 'number') slots.setNumber(slot, attribute.value.doubleValue);
    else setNumberText(slots, slot, text);
  }
}
