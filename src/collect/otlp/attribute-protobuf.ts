import { type AttributeNames, TEXT_SLOTS } from './attributes.ts';
import { MOST_LISTED } from './json.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { AttributeSlots } from './span-draft.ts';

/** Reads KeyValue { 1: key, 2: AnyValue } into its slot, if it has one; on the wire the value may come first. */
export function readAttribute(reader: ProtoReader, names: AttributeNames, into: AttributeSlots): void {
  const outer = reader.limit;
  const end = reader.end();
  reader.limit = end;
  if (!readShort(reader, end, names, into)) readAny(reader, end, names, into);
  reader.at = end;
  reader.limit = outer;
}

/** As nearly all attributes are written: a key and behind it a value, each shorter than 128 bytes. False when it is another one. */
function readShort(reader: ProtoReader, end: number, names: AttributeNames, into: AttributeSlots): boolean {
  const { buffer, at } = reader;
  const keyEnd = at + 2 + buffer[at + 1]!;
  const valueAt = keyEnd + 2;
  if (buffer[at] !== 10 || !(valueAt <= end) || buffer[keyEnd] !== 18 || buffer[at + 1]! >= 0x80) return false;
  if (buffer[keyEnd + 1]! >= 0x80 || valueAt + buffer[keyEnd + 1]! !== end) return false;
  const slot = names.slotOfBytes(buffer, at + 2, keyEnd);
  if (slot < 0) return true;
  const textEnd = valueAt + 2 + buffer[valueAt + 1]!;
  if (slot < TEXT_SLOTS && buffer[valueAt] === 10 && buffer[valueAt + 1]! < 0x80 && textEnd === end) {
    into.setBytes(slot, buffer, valueAt + 2, end);
    return true;
  }
  reader.at = valueAt;
  readValue(reader, into, slot);
  return true;
}

function readAny(reader: ProtoReader, end: number, names: AttributeNames, into: AttributeSlots): void {
  let slot = -1;
  let valueAt = -1;
  let valueEnd = 0;
  while (reader.at < end) {
    const tag = reader.tag();
    if (tag === 10) {
      const keyEnd = reader.end();
      slot = names.slotOfBytes(reader.buffer, reader.at, keyEnd);
      reader.at = keyEnd;
    } else if (tag === 18) {
      valueEnd = reader.end();
      valueAt = reader.at;
      reader.at = valueEnd;
    } else reader.skip(tag);
  }
  if (slot >= 0 && valueAt >= 0) {
    reader.at = valueAt;
    reader.limit = valueEnd;
    readValue(reader, into, slot);
  }
}

/** Maps inside a value are passed over: nothing that we need has one. */
function readValue(reader: ProtoReader, into: AttributeSlots, slot: number): void {
  let listed = 0;
  while (reader.at < reader.limit) {
    const tag = reader.tag();
    if (tag === 10) {
      const end = reader.end();
      if (slot < TEXT_SLOTS) into.setBytes(slot, reader.buffer, reader.at, end);
      else setNumberText(into, slot, reader.buffer.toString('latin1', reader.at, Math.min(end, reader.at + 40)));
      reader.at = end;
    } else if (tag === 24) {
      if (slot < TEXT_SLOTS) into.setText(slot, reader.varintExact().toString());
      else into.setNumber(slot, reader.varint());
    } else if (tag === 16) {
      const flag = reader.varint();
      if (slot < TEXT_SLOTS) into.setText(slot, flag ? 'true' : 'false');
      else into.setNumber(slot, flag ? 1 : 0);
    } else if (tag === 33) {
      const number = reader.double();
      if (slot < TEXT_SLOTS) into.setText(slot, String(number));
      else into.setNumber(slot, number);
    } else if (tag === 42 && slot < TEXT_SLOTS) {
      const end = reader.end();
      listed = readFirstListed(reader, end, into, slot, listed);
      reader.at = end;
    } else reader.skip(tag);
  }
}

/**
 * ArrayValue { 1: AnyValue[] }: of recorded headers, which are lists of texts, the first that is not empty.
 * Takes and gives how many values were looked at; a list that comes in parts goes on where the part before ended.
 */
function readFirstListed(reader: ProtoReader, end: number, into: AttributeSlots, slot: number, before: number): number {
  const outer = reader.limit;
  reader.limit = end;
  let listed = before;
  while (reader.at < end) {
    const tag = reader.tag();
    if (tag !== 10 || listed >= MOST_LISTED) {
      reader.skip(tag);
      continue;
    }
    listed = readListed(reader, into, slot) ? MOST_LISTED : listed + 1;
  }
  reader.limit = outer;
  return listed;
}

/** One value of a list; false when it is no text. */
function readListed(reader: ProtoReader, into: AttributeSlots, slot: number): boolean {
  const outer = reader.limit;
  const end = reader.end();
  reader.limit = end;
  let [textAt, textEnd] = [0, 0];
  while (reader.at < end) {
    const tag = reader.tag();
    // Of several values in one the last one counts.
    [textAt, textEnd] = [0, 0];
    if (tag === 10) {
      textEnd = reader.end();
      textAt = reader.at;
      reader.at = textEnd;
    } else reader.skip(tag);
  }
  reader.limit = outer;
  if (textEnd > textAt) into.setBytes(slot, reader.buffer, textAt, textEnd);
  return textEnd > textAt;
}

/** Copies an id of so many words; false when what stands there is of another length. */
export function readId(reader: ProtoReader, column: Uint32Array, at: number, words: number): boolean {
  const end = reader.end();
  const isWhole = end - reader.at === words * 4;
  if (isWhole) for (let word = 0; word < words; word++) column[at + word] = reader.wordAt(reader.at + word * 4);
  else column.fill(0, at, at + words);
  reader.at = end;
  return isWhole;
}

/** Some senders write numbers as text. */
export function setNumberText(into: AttributeSlots, slot: number, text: string): void {
  if (/^\d{1,16}(\.\d+)?$/.test(text)) into.setNumber(slot, Number(text));
  else if (text === 'true' || text === 'false') into.setNumber(slot, text === 'true' ? 1 : 0);
}
