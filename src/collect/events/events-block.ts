import { Block, RowWriter, Texts } from '../../store/index.ts';
import { type EventPlaces, eventTexts } from './meter-event.ts';

/** What all rows of a batch have in common. */
export interface EventBatch {
  readonly batch: number;
  /** Days since 1970. */
  readonly receivedDay: number;
  readonly storedMs: number;
}

const TYPE = eventTexts.indexOf('type');

/** Rows for the table `events`; the layout of an event is `encodeEvent`'s. */
export function eventsBlock(events: readonly EventPlaces[], common: EventBatch): Block {
  const rows = events.length;
  const [hash, arrived, time] = [Buffer.alloc(rows * 16), Buffer.alloc(rows * 8), Buffer.alloc(rows * 8)];
  events.forEach((event, row) => {
    event.bytes.copy(hash, row * 16, event.hash, event.hash + 16);
    event.bytes.copy(arrived, row * 8, event.arrived, event.arrived + 8);
    event.bytes.copy(time, row * 8, event.time, event.time + 8);
  });
  const block = new Block(rows);
  block.constant('batch', 'UInt64', bytesOf(BigUint64Array.of(BigInt(common.batch))));
  block.constant('received', 'Date', bytesOf(Uint16Array.of(common.receivedDay)));
  block.fixed('hash', 'FixedString(16)', hash);
  block.fixed('ingested_at', "DateTime64(3, 'UTC')", arrived);
  block.constant('stored_at', "DateTime64(3, 'UTC')", bytesOf(BigInt64Array.of(BigInt(common.storedMs))));
  block.fixed('time', "DateTime64(9, 'UTC')", time);
  eventTexts.forEach((name, place) => {
    if (place === TYPE) addTypes(block, events);
    else block.strings(name, textsAt(events, place));
  });
  return block;
}

/** There are few types and many events of each. */
function addTypes(block: Block, events: readonly EventPlaces[]): void {
  const texts = new Texts();
  const ids = Uint32Array.from(events, ({ bytes, texts: places }) => texts.idOf(bytes, ...places[TYPE]!));
  block.texts('type', texts, ids);
}

function textsAt(events: readonly EventPlaces[], place: number): Uint8Array {
  const writer = new RowWriter();
  for (const { bytes, texts } of events) writer.textBytes(bytes, ...texts[place]!);
  return writer.bytes();
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
