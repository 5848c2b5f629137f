import { RowWriter } from '../store/index.ts';
import type { Call, Work } from './assemble.ts';

const NO_IDS = Buffer.alloc(24);
const NOBODY = Buffer.alloc(4);

/** Writes the body of a row: what was decided, where it was journalled, what was sent. The order is workShape's. */
export function writeBody(writer: RowWriter, work: Work): void {
  const { span, call } = work;
  if (call === null) writer.fixed(NO_IDS, 0, NO_IDS.length);
  else writer.fixed(call.root.buffer, call.root.idsAt, NO_IDS.length);
  writer.u8(work.isCall ? 1 : 0);
  writer.u64(work.share);
  const names = call === null ? NOBODY : namesOf(call);
  writer.copy(names, 0, names.length);
  writer.u64(work.busyUs);
  writer.u8(work.isDbCall ? 1 : 0);
  writer.u64(work.dbUs);
  writer.u8(work.isExternal ? 1 : 0);
  writer.u64(work.extUs);
  writer.u8(work.isReversed ? 1 : 0);
  writer.u64(span.segment);
  writer.u32(span.position);
  writer.copy(span.buffer, span.sentAt, span.sentEnd);
}

const namesWriter = new RowWriter(2048);
let lastCall: Call | null = null;
let lastNames = NOBODY;

/** Tenant, endpoint, consumer and resolver as they stand in a row. The spans of a call come one after another. */
function namesOf(call: Call): Buffer {
  if (call === lastCall) return lastNames;
  namesWriter.reset();
  namesWriter.text(call.tenant);
  namesWriter.text(call.endpoint);
  namesWriter.text(call.consumer);
  namesWriter.text(call.resolver);
  lastCall = call;
  lastNames = Buffer.from(namesWriter.bytes());
  return lastNames;
}
